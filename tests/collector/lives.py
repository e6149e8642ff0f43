"""Whole lives: a gas meter, the real firmware of the unit on it, a bad radio, and a collector.

The unit lives by the time of its crystal, which runs fast or slow and follows the temperature. All
else is in UTC.
"""

from __future__ import annotations

import math
import random
import sqlite3
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from collector import Collector, MemoryKeystore, PulseHalfHour, PulseStatus, VirtualRadio
from collector.bearers.base import ReceivedFrame
from pulse_unit.config import UnitConfig
from pulse_unit.entries import Entries
from pulse_unit.hal.gas_meter import GasMeter
from pulse_unit.hal.virtual import VirtualUnit
from pulse_unit.log_answer import LogAnswer
from pulse_unit.reed import sample_interval_ms
from pulse_unit.unit import OBEYED
from shared.crypto.backend_cryptography import AesBlock
from shared.timegrid import from_unix_ms
from shared.wire.gatt import LogRequest, encode_log_request
from shared.wire.log_pieces import LogReader
from shared.wire.wmbus import frame_a
from tests.collector.frames import KEY, SERIAL, record
from tests.collector.world import START_S

START_MS = START_S * 1000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STEP_MS = 15 * 60_000
TOLERANCE_MS = 10_000
SETTLING_MS = 500  # the reed's debounce: a pulse is counted a little after it begins
_BOUNCE_MS = 1_000
_UNMEASURED = PulseStatus.INTERPOLATED | PulseStatus.PENDING | PulseStatus.DOUBTFUL_CLOCK


class Crystal:
    """The time that a unit's crystal has counted, day and night, warm and cold.

    Args:
        rng: of its phase.
        drift_ppm: what it gains on average.
        days: for how long it is asked.
    """

    def __init__(self, rng: random.Random, drift_ppm: int, days: int) -> None:
        day, season = rng.uniform(0, math.tau), rng.uniform(0, math.tau)
        gained_ms, self._gained_ms = 0.0, [0]
        for hour in range((days + 40) * 24):
            daily = 8 * math.sin(math.tau * hour / 24 + day)
            ppm = drift_ppm + daily + 10 * math.sin(math.tau * hour / 960 + season)
            gained_ms += HOUR_MS * ppm / 1_000_000
            self._gained_ms.append(round(gained_ms))
        self._begin_ms = START_MS - 10 * DAY_MS

    def unit_ms(self, utc_ms: int) -> int:
        """What it has counted by an instant of UTC."""
        hour, part_ms = divmod(utc_ms - self._begin_ms, HOUR_MS)
        before, after = self._gained_ms[hour : hour + 2]
        return utc_ms + before + (after - before) * part_ms // HOUR_MS

    def utc_ms(self, unit_ms: int) -> int:
        """The first instant of UTC at which it has counted this."""
        utc_ms = unit_ms - (self.unit_ms(unit_ms) - unit_ms)
        while self.unit_ms(utc_ms) < unit_ms:
            utc_ms += 1
        while self.unit_ms(utc_ms - 1) >= unit_ms:
            utc_ms -= 1
        return utc_ms


class Restart(NamedTuple):
    """A loss of the unit's power, in UNIX milliseconds: its last entry that was kept, and when."""

    kept_ms: int
    at_ms: int


class Life:
    """Days of a house with gas in the morning and in the evening, told by radio.

    Args:
        seed: of all that is random; every third one has a fast crystal, every third a slow one.
        days: how many.
        is_log_readable: as in `UnitRecord`.
        **radio: as for `VirtualRadio`.
    """

    def __init__(
        self, seed: int, days: int, *, is_log_readable: bool = False, **radio: float
    ) -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        self.end_ms = START_MS + days * DAY_MS
        self.crystal = Crystal(self.rng, (50, -50, 11)[seed % 3], days)
        self.radio = VirtualRadio(seed, delay_max_s=5, **radio)
        self.is_radio_dead = False
        config = UnitConfig(flow_max_l_per_h=6_000)
        self._config = config
        settle_ms = sample_interval_ms(config.pulse_weight_nl, config.flow_max_l_per_h)
        # Where the reed is closed, the unit looks at it ever again: that takes the tests' time.
        self._meter = GasMeter(
            config.pulse_weight_nl, 6_000, seed, closed_permille=40, settle_ms=settle_ms
        )
        self.turns_ms: list[int] = []
        self._edge_ms = 0
        self._burns = [burn for day in range(days + 3) for burn in self._day(day)]
        self._switches_ms = [at_ms for burn in self._burns for at_ms in burn[:2]]
        self.restarts: list[Restart] = []
        self.contacts_ms: list[int] = []
        boot_ms = START_MS - self.rng.randint(HOUR_MS, DAY_MS)
        self.unit = self._booted(None, boot_ms)
        self._boot_unit_ms = self.crystal.unit_ms(boot_ms)
        self._advance_unit(START_MS)
        self.collector = Collector(
            sqlite3.connect(":memory:"), MemoryKeystore(), from_unix_ms(START_MS)
        )
        self.collector.pair(
            record(base_count=self.unit.count, is_log_readable=is_log_readable),
            KEY,
            from_unix_ms(START_MS),
        )

    def live(self, until_ms: int) -> None:
        """Let everything happen up to an instant."""
        while self.now_ms < until_ms:
            place = bisect_right(self._switches_ms, self.now_ms)
            step_ms = min(until_ms, self.now_ms + STEP_MS, self._switches_ms[place])
            is_on = place % 2 == 1
            flow_l_per_h = self._burns[place // 2][2] if is_on else 0
            for at_ms, closed in self._meter.flow(self.now_ms, step_ms, flow_l_per_h):
                if closed and at_ms - self._edge_ms > _BOUNCE_MS:
                    self.turns_ms.append(at_ms)
                self._edge_ms = at_ms
                self.unit.edge(self.crystal.unit_ms(at_ms), closed)
            self._advance_unit(step_ms)
            self.now_ms = step_ms
            for frame in self.radio.receive_until(step_ms):
                self.collector.receive(frame, frame.received_utc)

    def reboot(self) -> None:
        """Take the battery out and put it back, while the reed rests."""
        while self.now_ms - self._edge_ms < 3 * _BOUNCE_MS:
            self.live(self.now_ms + _BOUNCE_MS)
        self.unit = self._booted(self.unit.nvm, self.now_ms)
        *before, (boot, _, _) = Entries(self.unit.unit.history)
        kept_s = max(entry for entry in before if entry[0] < boot)[1]
        kept_ms = self.crystal.utc_ms(self._boot_unit_ms + kept_s * 1000)
        self.restarts.append(Restart(kept_ms, self.now_ms))
        self._boot_unit_ms = self.crystal.unit_ms(self.now_ms)

    def contact(self, *, reads_log: bool = True) -> None:
        """Connect over Bluetooth: read a telegram, the log if it is wanted, and set the phase."""
        self.contacts_ms.append(self.now_ms)
        uptime_ms = self.unit.uptime_ms(self.crystal.unit_ms(self.now_ms))
        frame = frame_a(self.unit.unit.seal(uptime_ms))
        flight_ms = self.rng.randint(0, 1_000)
        now = from_unix_ms(self.now_ms + flight_ms)
        self.collector.receive(ReceivedFrame(frame, now, "gatt", 1), now)
        if reads_log:
            self._read_log(now_ms=self.now_ms + flight_ms)
        for _, command in self.collector.replies(now):
            self.live(self.now_ms + flight_ms)
            uptime_ms = self.unit.uptime_ms(self.crystal.unit_ms(self.now_ms))
            assert OBEYED == self.unit.unit.obey(command, uptime_ms)

    def rows(self) -> list[PulseHalfHour]:
        """All half-hours that have ended."""
        return self.collector.half_hours(SERIAL, START_S, self.now_ms // 1000 // 1800 * 1800)

    def turned(self, until_ms: int) -> int:
        """What was turned, in truth."""
        return bisect_right(self.turns_ms, until_ms)

    def refuted(self) -> list[PulseHalfHour]:
        """Rows that are called measured and are off by more than the pulses of 10 s."""
        return [row for row in self.errors(TOLERANCE_MS) if is_measured(row)]

    def _counted(self) -> list[int]:
        return list(accumulate(row.pulses or 0 for row in self.rows()))

    def _is_true(self, row: PulseHalfHour, counted: int, tolerance_ms: int) -> bool:
        end_ms = (row.start_s + 1800) * 1000
        least = self.turned(end_ms - tolerance_ms - SETTLING_MS)
        return least <= counted <= self.turned(end_ms + tolerance_ms)

    def flows_between(self, from_ms: int, to_ms: int) -> bool:
        """Whether a pulse was turned between two instants, or less than a minute from them."""
        return self.turned(from_ms - 60_000) < self.turned(to_ms + 60_000)

    def errors(self, tolerance_ms: int) -> list[PulseHalfHour]:
        """Rows whose end is off by more than the pulses of a time."""
        return [
            row
            for row, counted in zip(self.rows(), self._counted(), strict=True)
            if row.pulses is not None and not self._is_true(row, counted, tolerance_ms)
        ]

    def _day(self, day: int) -> list[tuple[int, int, int]]:
        """From when until when how many litres an hour are drawn."""
        burns = []
        for hour, minutes in ((6, 100), (12, 20), (17, 160)):
            from_ms = START_MS + day * DAY_MS + hour * HOUR_MS + self.rng.randint(0, HOUR_MS)
            length_ms = minutes * self.rng.randint(30_000, 60_000)
            burns.append((from_ms, from_ms + length_ms, self.rng.choice([300, 500, 900])))
        return burns

    def _booted(self, nvm: bytes | None, utc_ms: int) -> VirtualUnit:
        return VirtualUnit(
            SERIAL,
            KEY,
            self._config,
            nvm=nvm,
            boot_utc_ms=self.crystal.unit_ms(utc_ms),
            closed=self._meter.is_closed,
            pages=8,
        )

    def _advance_unit(self, until_ms: int) -> None:
        for sent_ms, frame in self.unit.advance(self.crystal.unit_ms(until_ms)):
            if not self.is_radio_dead and sent_ms >= self.crystal.unit_ms(START_MS):
                self.radio.send(frame, self.crystal.utc_ms(sent_ms))

    def _read_log(self, now_ms: int) -> None:
        place = self.collector.log_gap(SERIAL)
        if place is None:
            return
        request = LogRequest(self.rng.getrandbits(32), place.boot, place.tick_s)
        data = encode_log_request(request)
        answer = LogAnswer(self.unit.unit.history, AesBlock, KEY, request, data)
        reader = LogReader(AesBlock, KEY, data)
        while not answer.is_done:
            piece = answer.next_piece(244)
            if piece is not None:
                reader.receive_data(piece)
        self.collector.receive_log(SERIAL, reader.entries, from_unix_ms(now_ms))


def is_measured(row: PulseHalfHour) -> bool:
    """Whether a row is claimed to be true."""
    return not row.status & _UNMEASURED
