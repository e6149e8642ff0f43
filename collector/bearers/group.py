"""Bearers that run together: whatever ails one of them, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from collector.entries import LogPlace
from collector.errors import CollectorError
from shared.timegrid import from_unix_ms

from .base import Bearer, ReceivedFrame
from .replay import ReplayFile
from .reports import BearerFailed, BearerReport


class BearerGroup:
    """What brings frames, and where replies go.

    Args:
        bearers: each is closed when it fails, and at the end.
    """

    def __init__(self, bearers: Sequence[Bearer]) -> None:
        self._bearers = list(bearers)
        self._units: dict[str, bytes] = {}
        self.is_recorded = all(isinstance(bearer, ReplayFile) for bearer in bearers)

    def __len__(self) -> int:
        return len(self._bearers)

    def __iter__(self) -> Iterator[Bearer]:
        return iter(list(self._bearers))

    def close(self) -> None:
        """Close all of them."""
        for bearer in self._bearers:
            bearer.close()

    def receive_until(
        self, utc_ms: int, *, recorded: bool = False
    ) -> tuple[list[ReceivedFrame], list[BearerReport]]:
        """What all of them have had to tell up to an instant, in UNIX milliseconds.

        One that fails in a way that nobody foresaw is left out from then on.

        Args:
            utc_ms: the instant.
            recorded: only recordings.
        """
        frames: list[ReceivedFrame] = []
        told: list[BearerReport] = []
        for bearer in self:
            if recorded and not isinstance(bearer, ReplayFile):
                continue
            try:
                heard = bearer.receive_until(utc_ms)
                reports = bearer.take_reports()
            except Exception as error:  # noqa: BLE001  whatever ails one bearer, the others go on
                sentence = f"{bearer.name} has failed and is left out: {error}"
                at_utc = from_unix_ms(utc_ms)
                told.append(BearerFailed(at_utc=at_utc, bearer=bearer.name, sentence=sentence))
                self._drop(bearer)
                continue
            told += reports
            if isinstance(bearer, ReplayFile) and bearer.next_frame_utc_ms() is None:
                self._drop(bearer)
            if not bearer.is_two_way:
                heard = [replace(frame, two_way=False) for frame in heard]
            frames += heard
        return frames, told

    def next_frames_utc_ms(self) -> list[int]:
        """When each bearer's next frame will be in, as far as that is known."""
        due_ms = [bearer.next_frame_utc_ms() for bearer in self._bearers]
        return [at_ms for at_ms in due_ms if at_ms is not None]

    def recorded_ahead(self) -> list[tuple[str, int]]:
        """The recordings that wait for their time: name, and the next frame's UNIX milliseconds."""
        waiting = [
            (each.name, each.next_frame_utc_ms())
            for each in self._bearers
            if isinstance(each, ReplayFile)
        ]
        return [(name, at_ms) for name, at_ms in waiting if at_ms is not None]

    def reply(self, name: str | None, serial: str, command: bytes) -> str | None:
        """Send by the bearer of a name; return why it could not be, if one there is could not."""
        bearer = next((each for each in self._bearers if each.name == name), None)
        if bearer is None:
            return None
        return _attempt(bearer, partial(bearer.reply, serial, command))

    def meet(self, units: Mapping[str, bytes]) -> None:
        """Connect to these units from now on, and to no others: serials to Bluetooth addresses."""
        if units == self._units:
            return
        for bearer in self._bearers:
            for serial in self._units:
                if units.get(serial) != self._units[serial]:
                    _attempt(bearer, partial(bearer.drop_unit, serial))
            for serial, address in units.items():
                if self._units.get(serial) != address:
                    _attempt(bearer, partial(bearer.add_unit, serial, address))
        self._units = dict(units)

    def reads_log(self, name: str, serial: str) -> bool:
        """Whether the bearer of a name can read a unit's log."""
        return any(each.name == name and each.reads_log(serial) for each in self._bearers)

    def ask_log(self, serial: str, place: LogPlace) -> str | None:
        """Ask for a unit's log behind a place; return the bearer's name, None if none can."""
        boot, tick_s = max(0, place.boot), place.tick_s
        for bearer in self._bearers:
            if bearer.reads_log(serial):
                ask = partial(bearer.ask_log, serial, boot=boot, tick_s=tick_s)
                if _attempt(bearer, ask) is None:
                    return bearer.name
        return None

    def _drop(self, bearer: Bearer) -> None:
        self._bearers.remove(bearer)
        with suppress(Exception):  # it may be what has failed
            bearer.close()


def _attempt(bearer: Bearer, act: Callable[[], None]) -> str | None:
    """Have a bearer do something; return why it could not."""
    try:
        act()
    except CollectorError as error:
        return f"{bearer.name}: {error}"
    return None
