"""A serial port that is read as bytes come in: a device, or a pyserial URL such as `socket://`."""

from __future__ import annotations

import asyncio
import errno

import serial

from collector.errors import BearerLostError
from shared import serial_port

_READ_MAX = 4096
_WRITE_S = 5.0
_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
_REASONS = {
    errno.ENOENT: "it does not exist: is the device plugged in",
    errno.EACCES: "this user may not: join the group dialout",
    errno.EBUSY: "another program uses it",
    errno.EAGAIN: "another program uses it",
}


class SerialLine:
    """An open port; one reader.

    Args:
        name: of the bearer, for its sentences.
        url: a device, or a URL of pyserial that has a file descriptor.
        baud: bit/s.
        parity: none, even or odd; 8 data bits and 1 stop bit.

    Raises:
        BearerLostError: it cannot be opened.
    """

    def __init__(self, name: str, url: str, baud: int, parity: str = "none") -> None:
        self._name = name
        self._url = url
        try:
            self._port = serial.serial_for_url(
                url,
                baud,
                parity=_PARITIES[parity],
                timeout=0,
                write_timeout=_WRITE_S,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            reason = _REASONS.get(getattr(error, "errno", None) or 0, str(error))
            raise BearerLostError(f"{name} cannot open {url}: {reason}") from error
        try:
            self._descriptor = self._port.fileno()
        except OSError as error:
            self.close()
            raise BearerLostError(f"{name} cannot wait for bytes of {url}") from error

    async def read(self, timeout_s: float | None) -> bytes:
        """What has come in, as soon as something has; empty when the time is over.

        Raises:
            BearerLostError: the port is gone.
        """
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._descriptor, _set, readable)
        try:
            async with asyncio.timeout(timeout_s):
                await readable
        except TimeoutError:
            return b""
        finally:
            loop.remove_reader(self._descriptor)
        return self.read_waiting()

    def read_waiting(self) -> bytes:
        """What has come in already.

        Raises:
            BearerLostError: the port is gone.
        """
        try:
            return bytes(self._port.read(_READ_MAX))
        except OSError as error:
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """Send bytes; they may not have left yet when this returns.

        Raises:
            BearerLostError: the port is gone, or takes nothing for five seconds.
        """
        try:
            self._port.write(data)
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Give the port back."""
        serial_port.close(self._port)

    def _gone(self, error: OSError) -> BearerLostError:
        return BearerLostError(f"{self._name} has lost {self._url}: {error}")


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
