"""The web panel: a rendering of the directory for browsers, and a door for who may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from .app import Panel
    from .errors import (
        ForgeryError,
        NotSignedOnError,
        PanelError,
        PanelExposedError,
        PanelMissingError,
        PanelPortError,
        PanelRequestError,
    )
    from .guard import own_names
    from .meter import Face, HouseControls, PanelMeter
    from .opening import is_loopback, require_closed, require_installed
    from .server import PanelServer

__all__ = [
    "Face",
    "ForgeryError",
    "HouseControls",
    "NotSignedOnError",
    "Panel",
    "PanelError",
    "PanelExposedError",
    "PanelMeter",
    "PanelMissingError",
    "PanelPortError",
    "PanelRequestError",
    "PanelServer",
    "is_loopback",
    "own_names",
    "require_closed",
    "require_installed",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "app": "Panel",
        "errors": (
            "ForgeryError NotSignedOnError PanelError PanelExposedError PanelMissingError"
            " PanelPortError PanelRequestError"
        ),
        "guard": "own_names",
        "meter": "HouseControls Face PanelMeter",
        "opening": "is_loopback require_closed require_installed",
        "server": "PanelServer",
    },
)
