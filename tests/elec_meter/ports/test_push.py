from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from elec_meter.errors import CheckpointFailedError, StorageLostError
from elec_meter.ports import PushClient

NOW = datetime(2012, 10, 28, 1, 0, tzinfo=UTC)
SAID = b"half-hours" * 400


def free_port() -> int:
    """Where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Speaker:
    """Has one thing to say until it is delivered, and remembers how it went."""

    outcomes: list[str] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    due: datetime = NOW
    done: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> tuple[str, int]:
        """On this computer."""
        return "127.0.0.1", self.port

    def next_timer(self) -> datetime:
        """At once, or never again."""
        return self.due

    def message(self, now: datetime) -> bytes:
        """The same each time."""
        if self.refusals:
            raise self.refusals.pop()
        return SAID

    def delivered(self, now: datetime) -> None:
        """That was all."""
        self.outcomes.append("delivered")
        self.due = NOW + timedelta(days=1)
        self.done.set()

    def failed(self, now: datetime) -> None:
        """Once more."""
        self.outcomes.append("failed")


def test_a_message_is_delivered_once_the_head_end_is_back() -> None:
    """It was away, then hung up, then never read to the end; at last it has it whole."""
    heard: list[bytes] = []
    moods = ["reset", "stall", "listen"]

    async def head_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mood = moods.pop(0)
        if mood == "reset":
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return
        if mood == "stall":
            await reader.read(10)
            await gone.wait()
        else:
            heard.append(await reader.read())
            writer.write(b"thank you")
            gone.set()
        writer.close()

    gone = asyncio.Event()

    async def run() -> Speaker:
        speaker = Speaker()
        client = PushClient(speaker, now=lambda: NOW, timeout_s=0.2).start()
        while not speaker.outcomes:
            await asyncio.sleep(0.01)
        server = await asyncio.start_server(head_end, *speaker.address)
        async with asyncio.timeout(20):
            await speaker.done.wait()
        await client.close()
        await client.close()
        server.close()
        await asyncio.sleep(0.05)
        return speaker

    speaker = asyncio.run(run())
    assert [SAID] == heard
    assert ["failed", "failed", "failed"] == speaker.outcomes[-4:-1]
    assert 1 == speaker.outcomes.count("delivered")


@pytest.mark.parametrize(
    ("error", "outcomes"),
    [(CheckpointFailedError("full"), ["failed"]), (StorageLostError("gone"), [])],
)
def test_what_is_not_durable_is_not_sent(error: Exception, outcomes: list[str]) -> None:
    """It is tried again while there is hope, and not a moment longer."""

    async def run() -> Speaker:
        speaker = Speaker(refusals=[error])
        client = PushClient(speaker, now=lambda: NOW)
        speaker.failed = lambda _: _end(speaker)  # type: ignore[method-assign] - of this one object
        client.start()
        await asyncio.sleep(0.1)
        await client.close()
        return speaker

    def _end(speaker: Speaker) -> None:
        speaker.outcomes.append("failed")
        speaker.due = NOW + timedelta(days=1)

    assert outcomes == asyncio.run(run()).outcomes
