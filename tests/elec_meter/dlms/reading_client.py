"""A reader on `gurux-dlms`, run as a program of its own: `HOST PORT WISHES`, with wishes as JSON.

It prints one JSON object; nothing of it is ever imported.
"""

from __future__ import annotations

import json
import socket
import sys
from datetime import datetime
from typing import Any

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName,
    GXDLMSClock,
    GXDLMSDisconnectControl,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
    GXDLMSScriptTable,
    GXDLMSSecuritySetup,
)
from gurux_dlms.objects.enums import GlobalKeyType
from gurux_dlms.secure import GXDLMSSecureClient

TIMEOUT_S = 20


class Reader:
    """A client and its socket."""

    def __init__(self, host: str, port: int, wishes: dict[str, Any]) -> None:
        self.client = GXDLMSSecureClient(
            True,
            wishes["client"],
            1,
            Authentication[wishes.get("authentication", "NONE")],
            wishes.get("password"),
            InterfaceType[wishes.get("interface", "WRAPPER")],
        )
        self.client.maxReceivePDUSize = wishes.get("pdu", 65535)
        if "keys" in wishes:
            ciphering = self.client.ciphering
            ciphering.security = Security[wishes.get("security", "AUTHENTICATION_ENCRYPTION")]
            ciphering.systemTitle = bytes.fromhex(wishes["title"])
            ciphering.blockCipherKey = bytes.fromhex(wishes["keys"][0])
            ciphering.authenticationKey = bytes.fromhex(wishes["keys"][1])
            ciphering.invocationCounter = wishes.get("counter", 1)
            if "dedicated" in wishes:
                ciphering.dedicatedKey = bytes.fromhex(wishes["dedicated"])
        self.socket = socket.create_connection((host, port), TIMEOUT_S)
        self.received = 0

    def exchange(self, request: Any) -> GXReplyData:
        """A request, and all that belongs to its answer."""
        reply = GXReplyData()
        for each in request if isinstance(request, list) else [request]:
            self._send(each, reply)
            while reply.isMoreData():
                more = self.client.receiverReady(reply)
                self._send(more, reply)
        return reply

    def _send(self, data: Any, reply: GXReplyData) -> None:
        self.socket.sendall(bytes(data))
        reply.complete, reply.error = False, 0
        buffer = GXByteBuffer()
        notice = GXReplyData()
        while not self.client.getData(buffer, reply, notice):
            came = self.socket.recv(4096)
            if not came:
                raise EOFError("the meter hung up")
            self.received += len(came)
            buffer.set(came)
        if reply.error:
            raise ValueError(f"error {reply.error}")

    def leave_flag(self) -> None:
        """From a FLAG sign-on to HDLC: mode E (IEC 62056-21, Annex B)."""
        for said, answered in ((b"/?!\r\n", b"\r\n"), (b"\x06262\r\n", b"\x06262\r\n")):
            self.socket.sendall(said)
            came = b""
            while not came.endswith(answered):
                more = self.socket.recv(1)
                if not more:
                    raise EOFError("the meter hung up")
                came += more

    def command(self, wishes: dict[str, Any]) -> None:
        """Open or arm the contactor; execute a script."""
        if "contactor" in wishes:
            name, order = wishes["contactor"]
            control = GXDLMSDisconnectControl(name)
            act = control.remoteDisconnect if order == "open" else control.remoteReconnect
            self.exchange(act(self.client))
        if "script" in wishes:
            name, number = wishes["script"]
            self.exchange(GXDLMSScriptTable(name).execute(self.client, number))

    def connect(self) -> None:
        """The link, the association, the proof."""
        request = self.client.snrmRequest()
        if request:
            self.client.parseUAResponse(self.exchange(request).data)
        self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)
        if self.client.getIsAuthenticationRequired():
            reply = self.exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)

    def read(self, item: Any, attribute: int) -> Any:
        """An attribute."""
        reply = self.exchange(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def rows(self, wishes: dict[str, Any]) -> list[list[Any]]:
        """Rows of a profile."""
        profile = GXDLMSProfileGeneric(wishes["profile"])
        self.read(profile, 3)
        self.read(profile, 4)
        request = self.client.read(profile, 2)
        if "range" in wishes:
            start, end = map(datetime.fromisoformat, wishes["range"])
            request = self.client.readRowsByRange(profile, start, end)
        elif "entries" in wishes:
            request = self.client.readRowsByEntry(profile, *wishes["entries"])
        reply = self.exchange(request)
        self.client.updateValue(profile, 2, reply.value)
        return [[plain(cell) for cell in row] for row in profile.buffer]

    def close(self) -> None:
        """Release, and the end of the link."""
        if self.client.getInterfaceType() == InterfaceType.WRAPPER or self.client.ciphering:
            request = self.client.releaseRequest()
            if request:
                self.exchange(request)
        request = self.client.disconnectRequest()
        if request:
            self.exchange(request)
        self.socket.close()


def plain(value: Any) -> Any:
    """For JSON."""
    if hasattr(value, "value") and isinstance(value.value, datetime):
        return value.value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return value if value is None or isinstance(value, (int, float, str)) else str(value)


def main() -> None:
    """Do what is wished."""
    host, port, wishes = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    reader = Reader(host, port, wishes)
    if "mode_e" in wishes:
        reader.leave_flag()
    reader.connect()
    reader.command(wishes)
    said: dict[str, Any] = {"pdu": reader.client.maxReceivePDUSize}
    if "register" in wishes:
        register = GXDLMSRegister(wishes["register"])
        reader.read(register, 3)
        said["value"] = plain(reader.read(register, 2))
        said["unit"] = str(register.unit)
    if "clock" in wishes:
        said["clock"] = plain(reader.read(GXDLMSClock(), 2))
    if "profile" in wishes:
        before = reader.received
        said["rows"] = reader.rows(wishes)
        said["bytes"] = reader.received - before
    if "rekey" in wishes:
        setup = GXDLMSSecuritySetup()
        master, *keys = map(bytes.fromhex, wishes["rekey"])
        kinds = (GlobalKeyType.UNICAST_ENCRYPTION, GlobalKeyType.AUTHENTICATION)
        pairs = list(zip(kinds, keys, strict=False))
        reader.exchange(setup.globalKeyTransfer(reader.client, master, pairs))
    if "objects" in wishes:
        association = GXDLMSAssociationLogicalName()
        reader.read(association, 2)
        said["objects"] = [
            [int(each.objectType), each.logicalName] for each in association.objectList
        ]
    reader.close()
    print(json.dumps(said))  # noqa: T201 - a program's own words


if __name__ == "__main__":
    main()
