"""A wired M-Bus with our end as its master: on a serial port, or behind a network converter."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

from collector.errors import BearerSettingError
from collector.mbus_link import Answer, MasterLink, Unanswered
from collector.mbus_scripts import BusMaster, MbusSlave, Refused, Request, Script, slave_of
from shared.timegrid import from_unix_ms
from shared.wire.address import serial_text
from shared.wire.errors import WireError
from shared.wire.mbus import BAUDS, CI_RESPONSE, Frame, encode_frame

from .base import ReceivedFrame
from .device import COMMAND_LATE, COMMAND_MAX_S, BackOff, DeviceBearer, host_utc_ms, stop
from .reports import CommandAnswered, ScanEnded, SlaveFound, UnitUnreached
from .serial_line import SerialLine

_REPLY_S = 0.5  # what answers a reading goes before the next
_DRAINS_MAX = 64  # reads of what has come in since the last answer
_REASONS = {
    Unanswered.SILENCE: "does not answer",
    Unanswered.NOISE: "answers with noise: does another have its address, or is the speed another",
}

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Command:
    serial: str
    data: bytes
    asked_s: float


class MbusMaster(DeviceBearer):
    """Reads meters in turn, gives them commands, and looks for those it does not know.

    Args:
        url: a serial device with an M-Bus level converter, or a URL of pyserial such as
            `socket://192.168.1.20:10001`.
        slaves: the meters that are read.
        baud: bit/s of the bus, 300 to 9600.
        parity: even, as the standard has it; none where a port cannot do that.
        period_s: how often each meter is read; 0 reads them when `poll` is called only.
        latency_ms: how late bytes may arrive here: 50 for a port, 300 for most networks.
        name: as it appears in events.
        wake: as for `DeviceBearer`, and so are the others.
        clock_ms: likewise.
        back_off: likewise.

    Raises:
        BearerSettingError: for a speed that the bus does not have.
    """

    is_two_way = True

    def __init__(
        self,
        url: str,
        slaves: Iterable[MbusSlave] = (),
        *,
        baud: int = 2_400,
        parity: str = "even",
        period_s: int = 900,
        latency_ms: int | None = None,
        name: str = "mbus_master",
        wake: Callable[[], None] | None = None,
        clock_ms: Callable[[], int] = host_utc_ms,
        back_off: BackOff | None = None,
    ) -> None:
        if baud not in BAUDS.values():
            raise BearerSettingError(f"a wired M-Bus has no speed of {baud} bit/s")
        super().__init__(name, wake=wake, clock_ms=clock_ms, back_off=back_off)
        self._url = url
        self._slaves = tuple(slaves)
        self._baud = baud
        self._parity = parity
        self._period_s = period_s
        self._latency_ms = (300 if "://" in url else 50) if latency_ms is None else latency_ms
        self._serials: dict[MbusSlave, str] = {}  # as they were heard last
        self._commands: deque[_Command] = deque()
        self._polls: deque[MbusSlave] = deque()
        self._scans: deque[str] = deque()
        self._scan: Script | None = None
        self._next_poll_s = 0.0
        self._asked = asyncio.Event()
        self._start()

    def reply(self, serial: str, data: bytes) -> None:
        """See `Bearer.reply`; `CommandAnswered` tells what has become of it."""

        def add() -> None:
            self._commands.append(_Command(serial, data, self._loop.time()))
            self._asked.set()

        self._call(add)

    def poll(self) -> None:
        """Read all meters now."""
        self._call(self._poll_all)

    def scan(self, *, primary: bool = False) -> None:
        """Look for meters by secondary or primary addresses; `SlaveFound` and `ScanEnded` tell.

        Readings and commands go on meanwhile. At 2,400 bit/s an empty bus takes a second by
        secondary addresses and a minute by primary ones; by secondary addresses each meter takes
        up to a minute more.
        """

        def add() -> None:
            self._scans.append("primary" if primary else "secondary")
            self._asked.set()

        self._call(add)

    async def _work(self, opened: Callable[[], None]) -> None:
        line = SerialLine(self.name, self._url, self._baud, self._parity)
        try:
            self._master = BusMaster()
            self._link = MasterLink(self._baud, self._latency_ms)
            self._scan = None  # one that was cut off begins anew
            opened()
            while True:
                await self._turn(line)
        finally:
            line.close()

    async def _turn(self, line: SerialLine) -> None:
        """Do the most urgent thing, or wait for something to do."""
        if self._commands:
            await self._command(line, self._commands.popleft())
        elif self._polls:
            await self._read(line, self._polls.popleft())
        elif self._period_s and self._loop.time() >= self._next_poll_s:
            self._next_poll_s = self._loop.time() + self._period_s
            self._poll_all()
        elif self._scan is not None or self._scans:
            await self._scan_on(line)
        else:
            left_s = max(0.0, self._next_poll_s - self._loop.time()) if self._period_s else None
            await self._idle(line, left_s)

    def _poll_all(self) -> None:
        self._polls.extend(slave for slave in self._slaves if slave not in self._polls)
        self._asked.set()

    async def _idle(self, line: SerialLine, timeout_s: float | None) -> None:
        """Wait for something to do; what comes in meanwhile means nothing."""
        self._asked.clear()
        if self._commands:
            return
        asked = asyncio.ensure_future(self._asked.wait())
        reading = asyncio.ensure_future(line.read(timeout_s))
        try:
            done, _ = await asyncio.wait([asked, reading], return_when=asyncio.FIRST_COMPLETED)
            if reading in done and (data := reading.result()):
                self._link.receive_data(data, self._now_ms())
        finally:
            await stop([asked, reading])

    async def _read(self, line: SerialLine, slave: MbusSlave) -> None:
        began_ms = self._now_ms()
        reading = await self._play(line, self._master.read(slave))
        if isinstance(reading, list):
            # A repeated request gets the answer to the first: it may be as old as that one.
            delay_max_s = 1 + (self._now_ms() - began_ms) // 1000
            for frame in reading:
                self._hand_over(slave, frame, delay_max_s)
            await self._idle(line, _REPLY_S)
            return
        reason = reading.reason if isinstance(reading, Refused) else _REASONS[reading]
        self._report(
            UnitUnreached(
                at_utc=from_unix_ms(self._clock_ms()),
                bearer=self.name,
                unit=str(slave),
                sentence=f"the slave {slave} {reason}",
            )
        )

    def _hand_over(self, slave: MbusSlave, frame: Frame, delay_max_s: int) -> None:
        if frame.user_data[:1] == bytes([CI_RESPONSE]) and len(frame.user_data) >= 5:
            self._serials[slave] = serial_text(frame.user_data[1:5])
        received_utc = from_unix_ms(self._heard_utc_ms)
        self._deliver(ReceivedFrame(encode_frame(frame), received_utc, self.name, delay_max_s))

    async def _command(self, line: SerialLine, command: _Command) -> None:
        sentence = COMMAND_LATE
        if self._loop.time() - command.asked_s <= COMMAND_MAX_S:
            sentence = await self._give(line, command)
        self._report(
            CommandAnswered(
                at_utc=from_unix_ms(self._clock_ms()),
                bearer=self.name,
                serial=command.serial,
                is_obeyed=not sentence,
                sentence=sentence,
            )
        )

    def _slave_of(self, serial: str) -> MbusSlave:
        """The slave that was read under a serial, or else the one that is selected by it."""
        heard = (slave for slave, named in self._serials.items() if named == serial)
        return next(heard, None) or slave_of(serial)

    async def _give(self, line: SerialLine, command: _Command) -> str:
        try:
            slave = self._slave_of(command.serial)
            refused = await self._play(line, self._master.command(slave, command.data))
        except (BearerSettingError, WireError) as error:
            return str(error)
        if refused is None:
            return ""
        reason = refused.reason if isinstance(refused, Refused) else _REASONS[refused]
        return f"the slave {slave} {reason}"

    async def _scan_on(self, line: SerialLine) -> None:
        """Ask as far as the scan's next address: there, readings and commands may come between."""
        if self._scan is None:
            if self._scans[0] == "primary":
                self._scan = self._master.scan_primary(self._found)
            else:
                self._scan = self._master.scan_secondary(self._found, self._doubt)
            self._scan_request = next(self._scan)
        while True:
            answer = await self._exchange(line, self._scan_request)
            try:
                self._scan_request = self._scan.send(answer)
            except StopIteration:
                self._scan = None
                self._scans.popleft()
                self._report(ScanEnded(at_utc=from_unix_ms(self._clock_ms()), bearer=self.name))
                return
            if self._scan_request.is_first:
                return

    def _found(self, slave: MbusSlave, frame: Frame) -> None:
        at_utc = from_unix_ms(self._clock_ms())
        data = encode_frame(frame)
        self._report(SlaveFound(at_utc=at_utc, bearer=self.name, address=slave, data=data))

    def _doubt(self, slave: MbusSlave) -> None:
        at_utc = from_unix_ms(self._clock_ms())
        self._report(
            SlaveFound(at_utc=at_utc, bearer=self.name, address=slave, data=b"", is_alone=False)
        )

    async def _play(self, line: SerialLine, script: Generator[Request, Answer, _Result]) -> _Result:
        request = next(script)
        while True:
            answer = await self._exchange(line, request)
            try:
                request = script.send(answer)
            except StopIteration as ended:
                result: _Result = ended.value
                return result

    async def _exchange(self, line: SerialLine, request: Request) -> Answer:
        for _ in range(_DRAINS_MAX):
            if not (late := line.read_waiting()):
                break
            self._link.receive_data(late, self._now_ms())
        while (wait_ms := self._link.ready_ms - self._now_ms()) > 0:
            await asyncio.sleep(wait_ms / 1000)
        line.write(self._link.ask(request.frame, request.expected, self._now_ms()))
        while (answer := self._link.take_answer()) is None:
            due_ms = self._link.next_timer() or 0
            data = await line.read(max(0, due_ms - self._now_ms()) / 1000)
            if data:
                self._heard_utc_ms = self._clock_ms()
                self._link.receive_data(data, self._now_ms())
            else:
                self._link.handle_timer(self._now_ms())
        return answer

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)
