"""The reader's side of an HDLC link, as simple as can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from elec_meter.dlms.hdlc import (
    Address,
    Control,
    Frame,
    FrameReader,
    HdlcLine,
    HdlcSession,
    Kind,
    LinkParameters,
)

NOW = datetime(2012, 10, 28, 12, tzinfo=UTC)
LLC = bytes.fromhex("e6e600")
CLIENT, SERVER = Address(16), Address(1)


def later(milliseconds: float) -> datetime:
    """An instant after `NOW`."""
    return NOW + timedelta(milliseconds=milliseconds)


class Echo:
    """Answers every APDU with itself, `times` over."""

    def __init__(self, times: int = 1) -> None:
        self.times = times
        self.asked: list[bytes] = []
        self.drops = 0

    def answer(self, client: int, server: int, apdu: bytes) -> bytes:
        """The same."""
        assert (CLIENT.upper, SERVER.upper) == (client, server)
        self.asked.append(apdu)
        return apdu * self.times

    def drop(self) -> None:
        """Count it."""
        self.drops += 1


def frames_of(data: bytes) -> list[Frame]:
    """Every frame of a reply; nothing else is in it."""
    reader = FrameReader()
    reader.feed(data)
    found = []
    while (frame := reader.read()) is not None:
        found.append(frame)
    assert not reader.damaged
    return found


class Primary:
    """Asks over a session and puts answers together."""

    def __init__(self, server: Echo | None = None, line: HdlcLine | None = None) -> None:
        self.server = server or Echo()
        self.session = HdlcSession(self.server, line or HdlcLine(), NOW)
        self.now = NOW
        self.send_number = self.receive_number = 0

    def tell(self, control: Control, information: bytes = b"", **fields: object) -> list[Frame]:
        """Send one frame; what comes back."""
        frame = Frame(SERVER, CLIENT, control, information)._replace(**fields)
        return frames_of(self.session.receive_data(frame.to_bytes(), self.now))

    def connect(self, parameters: LinkParameters | None = None) -> LinkParameters:
        """SNRM; what was agreed."""
        information = b"" if parameters is None else parameters.to_bytes()
        (reply,) = self.tell(Control(Kind.SET_NORMAL_MODE), information)
        assert Kind.ACKNOWLEDGE is reply.control.kind
        self.send_number = self.receive_number = 0
        return LinkParameters.from_bytes(reply.information)

    def inform(self, information: bytes, *, poll: bool = True, more: bool = False) -> list[Frame]:
        """Send an information frame in sequence."""
        control = Control(Kind.INFORMATION, poll, self.receive_number, self.send_number)
        self.send_number = (self.send_number + 1) % 8
        return self.tell(control, information, is_segment=more)

    def ready(self) -> list[Frame]:
        """RR: what next?"""
        return self.tell(Control(Kind.RECEIVE_READY, True, self.receive_number))

    def ask(self, apdu: bytes, size: int = 128) -> bytes:
        """An APDU, in segments of a size; its answer, acknowledged window by window."""
        message = LLC + apdu
        starts = range(0, len(message), size)
        frames: list[Frame] = []
        for at in starts:
            frames = self.inform(message[at : at + size], more=at + size < len(message))
        answer = b""
        while frames:
            for frame in frames:
                assert Kind.INFORMATION is frame.control.kind
                assert self.receive_number == frame.control.send
                self.receive_number = (self.receive_number + 1) % 8
                answer += frame.information
            if not frames[-1].is_segment:
                break
            frames = self.ready()
        assert answer.startswith(bytes.fromhex("e6e700"))
        return answer[3:]
