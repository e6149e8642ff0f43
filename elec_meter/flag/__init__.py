"""The FLAG port, IEC 62056-21 mode C: a rendering of the directory."""

from elec_meter.flag.port import FlagPort
from elec_meter.flag.session import FlagLine, FlagSession, FlagTiming
from elec_meter.flag.states import State

__all__ = ["FlagLine", "FlagPort", "FlagSession", "FlagTiming", "State"]
