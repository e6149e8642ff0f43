"""The FLAG port, IEC 62056-21 modes A, C and E: a rendering of the directory."""

from elec_meter.flag.conversation import ProgrammingDesk
from elec_meter.flag.line import FlagLine, FlagTiming, LineSetting, Sending
from elec_meter.flag.packed import pack_rows, unpack_rows
from elec_meter.flag.port import FlagPort
from elec_meter.flag.session import FlagSession, Services, Stream, StreamFactory
from elec_meter.flag.states import State

__all__ = [
    "FlagLine",
    "FlagPort",
    "FlagSession",
    "FlagTiming",
    "LineSetting",
    "ProgrammingDesk",
    "Sending",
    "Services",
    "State",
    "Stream",
    "StreamFactory",
    "pack_rows",
    "unpack_rows",
]
