"""The edges of the running meter: each is opened by the table of its name under `[host]`.

They are opened in this order and closed in the opposite one. A new edge is a line here, a class
that is an `Edge`, and a table in `elec_meter.config.host`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .addons import AddonsEdge
from .base import Edge, Host
from .dlms import DlmsEdge
from .gas import GasUnits
from .mains import Mains
from .panel import PanelEdge
from .ports import FlagEdge
from .terminals import TerminalsEdge

EDGES: Final[dict[str, Callable[[Host], Edge]]] = {
    "terminals": TerminalsEdge,
    "flag": FlagEdge,
    "dlms": DlmsEdge,
    "panel": PanelEdge,
    "addons": AddonsEdge,
    "mains": Mains,
    "collector": GasUnits,
}


def edges_of(host: Host) -> list[Edge]:
    """Those that the file names, in order.

    Raises:
        MeterError: one of them could never work.
    """
    return [make(host) for name, make in EDGES.items() if getattr(host.config, name) is not None]
