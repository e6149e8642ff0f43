"""Where protocol cores meet the machine's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.ports.address import AddressError, format_address, parse_address
    from elec_meter.ports.control import SOCKET_NAME, ControlServer
    from elec_meter.ports.control_client import ask
    from elec_meter.ports.push import PushClient
    from elec_meter.ports.serial import SerialDevice, SerialPortError, SerialServer
    from elec_meter.ports.stream import Session, SessionFactory, StreamLimits, TurnTaker
    from elec_meter.ports.tcp import TcpServer
    from elec_meter.ports.tls import (
        CertificateError,
        RenewedTls,
        check_tls,
        lapse_of,
        server_tls,
    )

__all__ = [
    "SOCKET_NAME",
    "AddressError",
    "CertificateError",
    "ControlServer",
    "PushClient",
    "RenewedTls",
    "SerialDevice",
    "SerialPortError",
    "SerialServer",
    "Session",
    "SessionFactory",
    "StreamLimits",
    "TcpServer",
    "TurnTaker",
    "ask",
    "check_tls",
    "format_address",
    "lapse_of",
    "parse_address",
    "server_tls",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "address": "AddressError format_address parse_address",
        "control": "SOCKET_NAME ControlServer",
        "control_client": "ask",
        "push": "PushClient",
        "serial": "SerialDevice SerialPortError SerialServer",
        "stream": "Session SessionFactory StreamLimits TurnTaker",
        "tcp": "TcpServer",
        "tls": "CertificateError RenewedTls check_tls lapse_of server_tls",
    },
)
