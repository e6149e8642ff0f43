"""The slot: each module in a process of its own, behind a FLAG line and a power account."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from elec_meter.addons.hearing import heard_within
from elec_meter.addons.limits import USUAL, Limits
from elec_meter.addons.module_line import LineSession, ModuleLine
from elec_meter.addons.power import PowerAccount, PowerSensor
from elec_meter.addons.supervision import Cause, Power, Supervision
from elec_meter.addons.throttle import Throttle
from elec_meter.config import AddonConfig

LISTENS_ON: Final = "listens on "
"""How a sentence of a module begins that tells where it serves."""

_READ_BYTES: Final = 256
_SAID_BYTES: Final = 1_024
_SAID_CHARACTERS: Final = 200
_SAID_PAUSE_S: Final = 0.1
_DRAIN_BYTES: Final = 65_536
_DRAIN_S: Final = 5.0
_LINE_BEGAN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "TZDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


class News(Enum):
    """What the event log is told of a module."""

    STOPPED = "stopped"
    CUT = "cut"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a slot needs of the meter.

    Attributes:
        session: makes a module's FLAG session, by the configuration in force; the time that it is
            given passes as for the module, however fast the meter's does.
        version: tells one configuration in force from the next.
        tell: takes news and a sentence for the event log.
        say: takes a module's name and a sentence of its own, for whoever started the meter.
        limits: what a module may use up.
    """

    session: Callable[[AddonConfig, datetime], LineSession]
    version: Callable[[], int]
    tell: Callable[[News, str], None]
    say: Callable[[str, str], None] = lambda _name, _sentence: None
    limits: Limits = USUAL


class ProcessSensor(PowerSensor):
    """The work of a process and its ended children; nothing where the system does not tell."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/stat")
        self._work_us = 0

    def drawn_us(self) -> int:
        """As the system counts it, in its ticks."""
        with contextlib.suppress(OSError, ValueError):
            fields = self._path.read_text(encoding="ascii").rpartition(")")[2].split()
            ticks = sum(map(int, fields[11:15]))
            self._work_us = max(self._work_us, ticks * 1_000_000 // os.sysconf("SC_CLK_TCK"))
        return self._work_us


class _SwitchedOffError(Exception):
    """It is time to switch the module off, and why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Slot:
    """One module: started, watched, cut off, started again, until the slot is closed.

    Args:
        addon: which, and with what budget.
        surroundings: the meter.
    """

    def __init__(self, addon: AddonConfig, surroundings: Surroundings) -> None:
        self.addon = addon
        self.said = ""
        self._surroundings = surroundings
        self._supervision = Supervision(surroundings.limits, _at_s())
        self._account: PowerAccount | None = None
        self._charge_mas = 0
        self._throttle = Throttle(surroundings.limits, _at_s())
        self._is_closed = False
        self._task = asyncio.create_task(self._live())

    def status(self) -> dict[str, Any]:
        """The module's life in numbers, for people and programs."""
        account, supervision = self._account, self._supervision
        running_mas = 0 if account is None else account.charge_mas
        return {
            "name": self.addon.name,
            "module": self.addon.module,
            "power": supervision.power.value,
            "restarts": max(0, supervision.starts - 1),
            "budget_ma": self.addon.budget_ma,
            "average_ma": 0 if account is None else account.average_ma,
            "charge_mas": self._charge_mas + running_mas,
            "said": self.said,
        }

    async def close(self) -> None:
        """Cut the module off for good; harmless when repeated, also while it is under way."""
        if not self._is_closed:
            self._is_closed = True
            self._task.cancel()
        # Whoever gives up waiting does not disturb the process being ended and waited for.
        await asyncio.shield(asyncio.gather(self._task, return_exceptions=True))

    async def _live(self) -> None:
        supervision = self._supervision
        while True:
            supervision.switched_on(_at_s())
            cause = await self._run()
            if supervision.switched_off(cause, _at_s()):
                is_cut = supervision.power is Power.CUT
                self._surroundings.tell(News.CUT if is_cut else News.STOPPED, self._epitaph(cause))
            await asyncio.sleep(supervision.pause_s(_at_s()))

    def _epitaph(self, cause: Cause) -> str:
        because = f": {self.said}" if cause is Cause.ENDED and self.said else ""
        return f"the add-on module {self.addon.name} was switched off: {cause.value}{because}"

    async def _run(self) -> Cause:
        """From switching a module on to switching it off."""
        self.said = ""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            process = await _started(self.addon, theirs)
        except OSError as error:
            self.said = str(error)
            return Cause.ENDED
        else:
            return await self._attend(process, reader, writer)
        finally:
            writer.transport.abort()

    async def _attend(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> Cause:
        """Serve a module and watch it until there is a cause to switch it off."""
        limits, sensor = self._surroundings.limits, ProcessSensor(process.pid)
        self._throttle = Throttle(limits, _at_s())
        self._account = PowerAccount(self.addon.budget_ma, limits, sensor, _at_s())
        cause = Cause.ENDED
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._serve(reader, writer))
                tasks.create_task(self._watch())
                tasks.create_task(self._hear(process))
        except* _SwitchedOffError as group:
            cause = _first(group).cause
        finally:
            self._charge_mas += self._account.charge_mas
            self._account = None
            await _kill(process)
        return cause

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        surroundings = self._surroundings
        line = ModuleLine(
            lambda now: surroundings.session(self.addon, now), surroundings.version, _line_now
        )
        with contextlib.suppress(ConnectionError):
            while (data := await heard_within(reader, _READ_BYTES, line.left_s)) != b"":
                reply = line.answer(data or b"")
                if data and reply:
                    self._supervision.heard(_at_s())
                writer.write(reply)
                self._throttle.spend(len(data or b"") + len(reply), _at_s())
                await writer.drain()
                await asyncio.sleep(self._throttle.wait_s(_at_s()))

    async def _watch(self) -> None:
        account, supervision = self._account, self._supervision
        assert account is not None
        while True:
            await asyncio.sleep(self._surroundings.limits.check_s)
            at_s = _at_s()
            account.measure(at_s)
            if account.is_exceeded:
                raise _SwitchedOffError(Cause.OVER_BUDGET)
            if self._throttle.is_flooded(at_s):
                raise _SwitchedOffError(Cause.FLOODED)
            if supervision.is_silent(at_s):
                raise _SwitchedOffError(Cause.SILENT)
            if supervision.has_recovered(at_s):
                self._surroundings.tell(
                    News.RECOVERED, f"the add-on module {self.addon.name} runs well again"
                )

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """Keep the last line that the module said, however much it says, until it has ended."""
        assert process.stdout is not None
        while data := await process.stdout.read(_SAID_BYTES):
            lines = data.decode("ascii", "replace").strip().splitlines()
            if lines:
                self.said = "".join(filter(str.isprintable, lines[-1]))[:_SAID_CHARACTERS]
                self._surroundings.say(self.addon.name, self.said)
            await asyncio.sleep(_SAID_PAUSE_S)
        await process.wait()
        raise _SwitchedOffError(Cause.ENDED)


class Slots:
    """All modules of a meter, as its configuration has them.

    Args:
        surroundings: the meter.
        addons: gives the modules that there are to be now.
    """

    def __init__(
        self, surroundings: Surroundings, addons: Callable[[], tuple[AddonConfig, ...]]
    ) -> None:
        self._surroundings = surroundings
        self._addons = addons
        self._slots: list[Slot] = []
        self._gone: list[Slot] = []
        self._task = asyncio.create_task(self._follow())

    def status(self) -> list[dict[str, Any]]:
        """The status of each."""
        return [slot.status() for slot in self._slots]

    @property
    def places(self) -> dict[str, str]:
        """Name to what it serves, of each module that has said so."""
        said = ((slot.addon.name, slot.said) for slot in self._slots)
        return {
            name: sentence.removeprefix(LISTENS_ON)
            for name, sentence in said
            if sentence.startswith(LISTENS_ON)
        }

    async def close(self) -> None:
        """Cut every module off; harmless when repeated."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(slot.close() for slot in (*self._slots, *self._gone)))

    async def _follow(self) -> None:
        """A module whose part of the configuration changes is started anew."""
        while True:
            wanted = self._addons()
            self._gone = [slot for slot in self._slots if slot.addon not in wanted]
            self._slots = [slot for slot in self._slots if slot.addon in wanted]
            await asyncio.gather(*(slot.close() for slot in self._gone))
            present = [slot.addon for slot in self._slots]
            for addon in wanted:
                if addon not in present:
                    self._slots.append(Slot(addon, self._surroundings))
            await asyncio.sleep(self._surroundings.limits.check_s)


def _at_s() -> float:
    return asyncio.get_running_loop().time()


def _line_now() -> datetime:
    """The time of a line, of which only lengths count: it never falls, and nobody sets it."""
    return _LINE_BEGAN + timedelta(seconds=_at_s())


async def _started(addon: AddonConfig, line: socket.socket) -> asyncio.subprocess.Process:
    """A module's process; whoever gives up waiting for it leaves none behind."""
    starting = asyncio.create_task(_start(addon, line))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _kill(await starting)
        raise


async def _start(addon: AddonConfig, line: socket.socket) -> asyncio.subprocess.Process:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(each).resolve()) for each in sys.path)
    with line:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "elec_meter.addons", addon.module, str(line.fileno())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(line.fileno(),),
            cwd="/",
            env=environment,
            # Ctrl-C is for the meter, and a module's own processes go with it.
            start_new_session=True,
        )
    assert process.stdin is not None
    settings = {setting.name: setting.value for setting in addon.settings}
    process.stdin.write(msgspec.json.encode(settings))
    process.stdin.close()
    return process


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End a module and all that it has started; its pipe is read to the end, or it stays open."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while await process.stdout.read(_DRAIN_BYTES):
                pass
    await process.wait()


def _first(group: BaseExceptionGroup[_SwitchedOffError]) -> _SwitchedOffError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, _SwitchedOffError)
    return error
