"""A wireless M-Bus receiver on a serial port: IMST iM871A, Amber AMB8465, CUL, lines of hex."""

from __future__ import annotations

from collections.abc import Callable

from collector.errors import BearerLostError, BearerSettingError
from collector.stick_frames import Found, StickAnswer, StickFrame, StickReader
from collector.stick_setup import KINDS, Question, SetUp
from shared.timegrid import from_unix_ms
from shared.wire.sticks import BAUDS

from .base import ReceivedFrame
from .device import BackOff, DeviceBearer, host_utc_ms
from .serial_line import SerialLine

_SILENCE_S = 0.25  # within a message a stick never pauses for so long


class WmbusStick(DeviceBearer):
    """Hands over what a stick hears. One way: units have no frame for commands by radio.

    Args:
        kind: im871a, amb8465, cul or hex.
        url: the serial device, such as one in `/dev/serial/by-id`, or a URL of pyserial.
        mode: the link mode of EN 13757-4 that it is told to hear: T1, C1, S1; C1+T1 for amb8465.
        name: as it appears in events.
        baud: bit/s; None is the kind's own.
        delay_max_s: the most that can lie between a unit's clock reading and reception.
        wake: as for `DeviceBearer`, and so are the others.
        clock_ms: likewise.
        back_off: likewise.

    Raises:
        BearerSettingError: for an unknown kind, or a mode that it does not have.
    """

    def __init__(
        self,
        kind: str,
        url: str,
        *,
        mode: str = "T1",
        name: str = "wmbus_stick",
        baud: int | None = None,
        delay_max_s: int = 2,
        wake: Callable[[], None] | None = None,
        clock_ms: Callable[[], int] = host_utc_ms,
        back_off: BackOff | None = None,
    ) -> None:
        if kind not in KINDS:
            raise BearerSettingError(f"a radio stick is one of {', '.join(KINDS)}, not {kind!r}")
        if mode not in KINDS[kind].modes:
            modes = ", ".join(KINDS[kind].modes)
            raise BearerSettingError(f"a stick of the kind {kind} hears {modes}, not {mode!r}")
        super().__init__(name, wake=wake, clock_ms=clock_ms, back_off=back_off)
        self._kind = KINDS[kind]
        self._mode = self._kind.modes[mode]
        self._url = url
        self._baud = baud or BAUDS[kind]
        self._delay_max_s = delay_max_s
        self._start()

    async def _work(self, opened: Callable[[], None]) -> None:
        line = SerialLine(self.name, self._url, self._baud)
        try:
            reader = self._kind.reader()
            await self._set_up(line, reader)
            opened()
            await self._listen(line, reader)
        finally:
            line.close()

    async def _set_up(self, line: SerialLine, reader: StickReader) -> None:
        setting: SetUp = self._kind.set_up(self._mode)
        answer = None
        while True:
            try:
                question = setting.send(answer)
            except StopIteration:
                return
            except BearerLostError as error:
                raise BearerLostError(f"{self.name} at {self._url}: {error}") from error
            answer = await self._ask(line, reader, question)

    async def _ask(
        self, line: SerialLine, reader: StickReader, question: Question
    ) -> StickAnswer | None:
        if question.data:
            line.write(question.data)
        until_s = self._loop.time() + question.patience_s
        while (left_s := until_s - self._loop.time()) > 0:
            for found in await self._heard(line, reader, left_s):
                if isinstance(found, StickAnswer) and question.is_answer(found):
                    return found
        return None

    async def _listen(self, line: SerialLine, reader: StickReader) -> None:
        while True:
            for found in await self._heard(line, reader, None):
                if isinstance(found, StickFrame):
                    received_utc = from_unix_ms(self._heard_ms)
                    self._deliver(
                        ReceivedFrame(
                            found.data,
                            received_utc,
                            self.name,
                            self._delay_max_s,
                            found.rssi_dbm,
                            two_way=False,
                        )
                    )

    async def _heard(
        self, line: SerialLine, reader: StickReader, patience_s: float | None
    ) -> list[Found]:
        if reader.is_waiting:
            patience_s = _SILENCE_S if patience_s is None else min(_SILENCE_S, patience_s)
        data = await line.read(patience_s)
        if not data:
            return reader.flush()
        self._heard_ms = self._clock_ms()
        return reader.receive_data(data)
