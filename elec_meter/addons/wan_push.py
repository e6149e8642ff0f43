"""Delivers half-hours to a head end, and writes down what it has acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Final

from elec_meter.addons.errors import OutletError, SettingError
from elec_meter.addons.forwarding import CONFIRM_MAX, Forwarding
from elec_meter.addons.settings import Address
from elec_meter.addons.wan_line import SharedLine
from elec_meter.dlms.errors import DlmsError
from elec_meter.dlms.wrapper import WrapperReader

DELIVERY_S: Final = 20.0

_READ_BYTES: Final = 256
_STATE_LIMIT: Final = 65_536


class StateFile:
    """What was acknowledged, in a file of the module's own; it survives a power cut.

    Args:
        path: of the file; None for none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> str:
        """What was written last; empty for nothing yet.

        Raises:
            SettingError: it cannot be read.
        """
        if self._path is None:
            return ""
        try:
            with self._path.open(encoding="utf-8") as file:
                return file.read(_STATE_LIMIT)
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"the setting state_file names no readable file: {error}") from None

    def write(self, text: str) -> None:
        """Replace it, whole or not at all.

        Raises:
            OutletError: the disk does not take it.
        """
        if self._path is None:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise OutletError(f"cannot write the state_file: {error}") from None


class HeadEnd:
    """A connection that is kept while it works: a handshake costs more than a half-hour.

    Args:
        address: where the head end listens.
        tls: encrypts; None for none.
        delivery_s: for a connection, and for the answer to a message.
    """

    def __init__(self, address: Address, tls: ssl.SSLContext | None, delivery_s: float) -> None:
        self.address = address
        self._tls = tls
        self._delivery_s = delivery_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def deliver(self, message: bytes, forwarding: Forwarding) -> None:
        """Send a message, until it is acknowledged.

        Raises:
            OSError: the head end cannot be reached, or has gone.
            TimeoutError: it does not answer in time.
            OutletError: it says what is no answer.
        """
        async with self._connection() as (reader, writer):
            wrapped = WrapperReader(CONFIRM_MAX)
            writer.write(message)
            forwarding.octets += len(message)
            await writer.drain()
            while said := await reader.read(_READ_BYTES):
                forwarding.octets += len(said)
                try:
                    wrapped.feed(said)
                    while (answer := wrapped.read()) is not None:
                        if forwarding.is_acknowledged_by(answer):
                            return
                except DlmsError as error:
                    raise OutletError(f"it answers what is no DLMS: {error}") from None
            raise ConnectionResetError("it has closed the connection")

    async def aclose(self) -> None:
        """Drop the connection; harmless when repeated."""
        streams, self._streams = self._streams, None
        if streams is not None:
            await drop(streams[1])

    @contextlib.asynccontextmanager
    async def _connection(
        self,
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open one unless there is one; after an error it is of no use."""
        if self._streams is not None and self._streams[0].at_eof():
            await self.aclose()
        try:
            async with asyncio.timeout(self._delivery_s):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*self.address, ssl=self._tls)
                yield self._streams
        except BaseException:
            await self.aclose()
            raise


async def drop(writer: asyncio.StreamWriter) -> None:
    """Close a connection at once, whatever waits in it."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def forward(
    line: SharedLine,
    forwarding: Forwarding,
    head_end: HeadEnd,
    state: StateFile,
    serial: str,
    now: datetime,
) -> None:
    """Deliver whatever the head end does not have yet.

    Args:
        line: the meter's.
        forwarding: what the head end has.
        head_end: the head end.
        state: takes what it has acknowledged.
        serial: the meter's number.
        now: the meter's time.

    Raises:
        AddonError: the meter does not answer, the disk is full, or the head end talks nonsense.
        OSError: the head end cannot be reached, or has gone.
        TimeoutError: it does not answer in time.
    """
    has_more = True
    while has_more:
        has_more = False
        for window in forwarding.windows(now):
            rows = await line.rows(*window)
            message = forwarding.message(serial, window.profile, rows)
            if message:
                await head_end.deliver(message, forwarding)
                state.write(forwarding.saved())
            has_more |= forwarding.has_more(window, rows, now)
