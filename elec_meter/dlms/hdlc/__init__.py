"""HDLC, the data link of DLMS on optical ports and serial lines (IEC 62056-46)."""

from elec_meter.dlms.hdlc.frames import (
    FLAG,
    FRAME_MAX,
    INFORMATION_MAX,
    Address,
    Control,
    Frame,
    Kind,
    check,
    decode_frame,
)
from elec_meter.dlms.hdlc.negotiation import LinkParameters
from elec_meter.dlms.hdlc.reader import FrameReader
from elec_meter.dlms.hdlc.session import ApduServer, HdlcLine, HdlcSession
from elec_meter.dlms.hdlc.states import State

__all__ = [
    "FLAG",
    "FRAME_MAX",
    "INFORMATION_MAX",
    "Address",
    "ApduServer",
    "Control",
    "Frame",
    "FrameReader",
    "HdlcLine",
    "HdlcSession",
    "Kind",
    "LinkParameters",
    "State",
    "check",
    "decode_frame",
]
