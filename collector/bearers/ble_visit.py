"""What is said while a unit is connected to: `docs/gatt.md`, the central's side, over bleak."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from collector.errors import CollectorError
from shared.wire.errors import WireError
from shared.wire.gatt import (
    ATT_INSUFFICIENT_AUTHENTICATION,
    COMMAND,
    LOG_CONTROL,
    LOG_DATA,
    RESULT,
    TELEGRAM,
    UUIDS,
    decode_result,
)
from shared.wire.log_pieces import is_last

if TYPE_CHECKING:
    from bleak import BleakClient

_PIECE_S = 20.0  # a unit that says nothing for so long will not go on
_LOG_MAX = 1 << 20  # bytes; thirteen months are 20,000
_INSUFFICIENT_ENCRYPTION = 0x0F
_REASONS = {
    1: "the command is malformed",
    2: "the command is not authentic: is it this unit's key",
    3: "it has obeyed a later command",
    4: "the command says something impossible",
    5: "its memory did not take it",
    6: "it does not know this command",
}


class VisitError(CollectorError):
    """A connected unit did not do what it was asked; its text is the sentence that is reported.

    Example scenarios: a unit that is not paired with this computer; a log that breaks off.
    """


class UnpairedError(VisitError):
    """The unit has not paired with this computer, or one of them has lost the key.

    Example scenarios: a new unit; a computer whose `/var/lib/bluetooth` was wiped.
    """


class Visit:
    """One connection to one unit; whatever ends it is a `VisitError` or bleak's own."""

    def __init__(self, client: BleakClient, serial: str) -> None:
        self._client = client
        self._serial = serial

    async def pair(self) -> None:
        """Pair, as the system's own agent does it.

        Raises:
            VisitError: it was refused.
        """
        try:
            await self._client.pair()
        except Exception as error:
            raise VisitError(
                f"pairing with the unit {self._serial} has failed ({_text(error)}): press its"
                " button and give the passkey on its label within 90 seconds; after three attempts"
                " wait for 90 seconds"
            ) from error

    async def read_telegram(self) -> bytes:
        """A new telegram: a link frame without CRCs.

        Raises:
            UnpairedError: the unit wants pairing.
        """
        try:
            return bytes(await self._client.read_gatt_char(UUIDS[TELEGRAM]))
        except Exception as error:
            if is_unpaired(error):
                raise UnpairedError(
                    f"the unit {self._serial} is not paired with this computer: press its button"
                    f" and run bluetoothctl pair {self._client.address}"
                ) from error
            raise

    async def command(self, data: bytes) -> str:
        """Give it a command; empty if it was obeyed, else why not."""
        await self._client.write_gatt_char(UUIDS[COMMAND], data, response=True)
        try:
            result = decode_result(bytes(await self._client.read_gatt_char(UUIDS[RESULT])))
        except WireError as error:
            return f"its result means nothing: {error}"
        if result.counter.to_bytes(4, "little") != data[1:5]:
            return "its result is of another command"
        if result.code == 0:
            return ""
        return _REASONS.get(result.code, f"it answers with the code {result.code}")

    async def read_log(self, request: bytes) -> tuple[bytes, ...]:
        """The pieces of the answer to a request, the end included.

        Raises:
            VisitError: it breaks off or never ends.
        """
        pieces: asyncio.Queue[bytes] = asyncio.Queue()

        def notified(_: object, data: bytearray) -> None:
            pieces.put_nowait(bytes(data))

        answer: list[bytes] = []
        size = 0
        await self._client.start_notify(UUIDS[LOG_DATA], notified)
        await self._client.write_gatt_char(UUIDS[LOG_CONTROL], request, response=True)
        try:
            while not answer or not is_last(answer[-1]):
                async with asyncio.timeout(_PIECE_S):
                    answer.append(await pieces.get())
                size += len(answer[-1])
                if size > _LOG_MAX:
                    raise VisitError(f"the log of the unit {self._serial} has no end")
        except TimeoutError as error:
            raise VisitError(f"the log of the unit {self._serial} breaks off") from error
        await self._client.stop_notify(UUIDS[LOG_DATA])
        return tuple(answer)


def is_unpaired(error: Exception) -> bool:
    """Whether an error of bleak, whatever the system, is that of a link that is not paired."""
    code = getattr(error, "code", None)
    if code in (ATT_INSUFFICIENT_AUTHENTICATION, _INSUFFICIENT_ENCRYPTION):
        return True
    name = str(getattr(error, "dbus_error", ""))
    return name.endswith((".NotPermitted", ".NotAuthorized"))


def address_bytes(text: str) -> bytes | None:
    """The bytes of an address; None where the system hides it."""
    try:
        data = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return None
    return data if len(data) == 6 else None


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
