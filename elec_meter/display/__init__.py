"""The display and its button: a rendering of the directory."""

from elec_meter.display.display import Display
from elec_meter.display.snapshot import DisplaySnapshot, Icons

__all__ = ["Display", "DisplaySnapshot", "Icons"]
