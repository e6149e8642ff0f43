"""What must be true of a meter after everything that can happen to it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from collector import MemoryKeystore, PulseStatus, ReceivedFrame
from collector.storage.tables import Tables
from elec_meter import Meter, Storage
from elec_meter.clock import from_unix_us, unix_us
from elec_meter.config import MeterConfig
from elec_meter.ledger import Ledger, Peak, RowStatus, imbalances
from elec_meter.sampling import EnergySeries
from elec_meter.storage.database import empty_in_memory
from elec_meter.testing.unit import PaperUnit
from tests.elec_meter.machine_tariffs import TARIFFS
from tests.naive.second_books import Account, by_minutes, greatest_w

SECOND_US = 1_000_000
HALF_HOUR_S, HOUR_S, DAY_S = 1800, 3600, 86_400
START_S = int(datetime(2013, 1, 1, 10, tzinfo=UTC).timestamp())
BACKUP_H = 24
GREATEST_W = 3000

_TEMPLATE = Storage.in_memory().connection
Tables(_TEMPLATE).make()
_TEMPLATE.commit()


def empty_storage() -> WatchedStorage:
    """A new one, faster than by all migrations."""
    return copied(_TEMPLATE)


def copied(connection: sqlite3.Connection) -> WatchedStorage:
    """What is committed and what is not, in another database."""
    there = empty_in_memory()
    connection.backup(there)
    there.remember()
    return WatchedStorage(there)


class WatchedStorage(Storage):
    """Counts its checkpoints."""

    checkpoints = 0

    def checkpoint(self, ledger: Any, durable_s: int) -> None:
        """As ever."""
        super().checkpoint(ledger, durable_s)
        self.checkpoints += 1


class Kept:
    """The second books, and all that goes back with them when a checkpoint is lost."""

    def __init__(self, tariff: int) -> None:
        self.tariffs = [(0, tariff)]
        self.accounts = {"import": Account(), "export": Account()}
        self.active = {"import": 1, "export": 1}
        self.jumps_us: list[int] = []
        self.activate_s = 0
        self.passes_s: list[tuple[int, int]] = []
        self.newest = 0
        self.pulses = 0
        self.snapshots: dict[tuple[str, int], Any] = {}
        self.peaks: dict[str, Peak | None] = {"import": None, "export": None}

    def copy(self) -> Kept:
        """Another one, the same."""
        other = deepcopy({k: v for k, v in vars(self).items() if k != "accounts"})
        kept = Kept(0)
        vars(kept).update(other)
        kept.accounts = {name: each.copy() for name, each in self.accounts.items()}
        return kept


def planned(config: MeterConfig) -> int:
    """The number of the tariff that is in force."""
    return next(n for n, each in enumerate(TARIFFS) if each.tariff == config.tariff)


def gas_books(meter: Meter) -> list[Any]:
    """All that is derived of a gas channel."""
    (gas,) = meter.ledger.pulse_channels
    state, registers = gas.state(), gas.registers
    blocks = [_shortened(each) for each in registers.blocks]
    derived = [gas.rows(), registers.rates, blocks, registers.used, gas.total, gas.aged]
    return [*derived, state.through_us, state.ahead, gas.collected()]


def _shortened(numbers: list[int]) -> list[int]:
    """Without the zeros at the end."""
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers


class CheckedLife(RuleBasedStateMachine):
    """A meter and its second books."""

    meter: Meter
    storage: WatchedStorage
    keys: MemoryKeystore
    kept: Kept
    durable: Kept
    unit: PaperUnit
    is_steady: bool
    now_us: int
    durable_us: int
    seen: int
    served: dict[str, list[int]]
    air: list[tuple[int, bytes, int, int]]

    @property
    def now(self) -> datetime:
        """The host's time."""
        return from_unix_us(self.now_us)

    @property
    def ledger(self) -> Ledger:
        """The books under test."""
        return self.meter.ledger

    def meter_us(self, host_us: int) -> int | None:
        """The meter's time at an instant of the host's."""
        read = self.meter.clock.read(from_unix_us(host_us))
        return None if read is None else unix_us(read)

    def touch_checkpoint(self) -> None:
        """What has been made durable can be served, and does not go back any more."""
        if self.seen == self.storage.checkpoints:
            return
        self.seen = self.storage.checkpoints
        self.durable, self.durable_us = self.kept.copy(), self.now_us
        self.served = {
            channel: [self.ledger.total(channel), *self.ledger.rates(channel)]
            for channel in self.ledger.channels
        }

    def book(self, channel: str, flowed: Any, start_us: int, end_us: int) -> None:
        """Enter into the second books what the meter is about to be told."""
        account = self.kept.accounts[channel]
        if self.meter_us(start_us) is None:
            wh = account.complete(flowed(end_us) - flowed(start_us))
            account.leave_undated(wh, self.kept.active[channel])
            return
        config, in_force = self.meter.config, TARIFFS[planned(self.meter.config)]
        passive = config.passive
        if passive is not None and not any(each > start_us for each in self.kept.jumps_us):
            coming = next(each for each in TARIFFS if each.tariff == passive.tariff)
            activate_s = unix_us(passive.activate) // SECOND_US
        else:
            coming, activate_s = in_force, 0
        for at_s, energy_mj in by_minutes(self.meter_us, flowed, start_us, end_us):
            tariff = coming if at_s >= activate_s else in_force
            account.date(account.complete(energy_mj), at_s, tariff.rate(channel, at_s))

    def receive_energy(self, start_us: int, end_us: int, powers_w: dict[str, int]) -> None:
        """Recorded energy of each channel."""
        length_us = end_us - start_us
        for channel, power_w in powers_w.items():
            energy_mj = power_w * length_us // 1000
            self.book(
                channel,
                lambda at, energy=energy_mj: energy * (at - start_us) // length_us,
                start_us,
                end_us,
            )
            start, end = from_unix_us(start_us), from_unix_us(end_us)
            self.meter.receive_energy(channel, energy_mj, start, end, self.now)

    def receive_series(self, start_us: int, seconds: int, powers_w: dict[str, int]) -> None:
        """Energy of both channels, second by second."""
        for channel, power_w in powers_w.items():
            self.book(
                channel,
                lambda at, power=power_w: (at - start_us) // SECOND_US * power * 1000,
                start_us,
                start_us + seconds * SECOND_US,
            )
        energies = {name: [power_w * 1000] * seconds for name, power_w in powers_w.items()}
        self.meter.receive_series(EnergySeries(start_us // SECOND_US, energies), self.now)

    def hear_frame(self, which: int) -> None:
        """The meter hears a telegram; which one and when does not matter to the register."""
        sent_s, data, counter, pulses = self.air[which]
        age_s = self.now_us // SECOND_US - sent_s
        frame = ReceivedFrame(data, self.now, "test", 2 if age_s < 2 else None)
        self.meter.receive_frame(frame, self.now)
        if counter > self.kept.newest:
            self.kept.newest, self.kept.pulses = counter, pulses

    def told(self, now_s: int) -> tuple[int, int]:
        """The number of the telegram just sent, and the pulses that it tells of."""
        turned = sum(at_s <= now_s for at_s in self.unit._pulses_s)
        return self.unit._messages, turned

    def note_tariff(self, now_s: int) -> None:
        """Remember since when, by the host's time, a tariff has been in force."""
        number = planned(self.meter.config)
        if number != self.kept.tariffs[-1][1]:
            self.kept.tariffs.append((max(self.kept.tariffs[-1][0], now_s), number))

    def time_is_lost(self, meter_s: int, host_us: int) -> None:
        """From now on the last rates in force count."""
        tariff = TARIFFS[planned(self.meter.config)]
        passive = self.meter.config.passive
        if passive is not None and unix_us(passive.activate) // SECOND_US <= meter_s:
            tariff = next(each for each in TARIFFS if each.tariff == passive.tariff)
        self.kept.active = {name: tariff.rate(name, meter_s) for name in self.kept.accounts}
        self.kept.jumps_us.append(host_us)

    def begin_pass(self, old_s: int | None, new_s: int) -> None:
        """The meter's time went evenly up to an instant, and goes on at another one."""
        if old_s is not None and self.kept.passes_s:
            self.kept.passes_s[-1] = (self.kept.passes_s[-1][0], old_s)
        self.kept.passes_s.append((new_s, 1 << 40))

    def was_set(self, old_s: int | None, new_s: int) -> None:
        """Check the rows at both ends of a setting, and those that it skipped."""
        self.kept.jumps_us.append(self.now_us)
        self.begin_pass(old_s, new_s)
        profile = self.ledger.profile
        (new,) = profile.between(profile.floor_s(new_s), new_s + 1)
        assert new.status & RowStatus.CLOCK_ADJUSTED
        assert profile.open_s == new.start_s
        if old_s is not None:
            olds = list(profile.between(profile.floor_s(old_s), old_s + 1))
            assert all(old.status & RowStatus.CLOCK_ADJUSTED for old in olds)
            skipped = [
                *(run for run in profile.runs if old_s < run.end_s and run.start_s < new_s),
                *(row for row in profile.measured() if old_s < row.start_s < new.start_s),
            ]
            assert all(each.status & RowStatus.DATA_NOT_VALID for each in skipped)
        self.touch_checkpoint()

    def power_up(self, config: MeterConfig, durable_us: int) -> None:
        """Power comes back; the outage is in the rows, and nothing that was served is less."""
        self.kept.jumps_us.append(durable_us)
        before_s = self.meter.clock.last_s(durable_us // SECOND_US)
        stood_us = self.meter_us(durable_us)
        self.meter = Meter(config, self.storage, self.now, keystore=self.keys)
        meter_us = self.meter_us(self.now_us)
        if meter_us is not None:
            self.begin_pass(
                before_s if stood_us is None else stood_us // SECOND_US, meter_us // SECOND_US
            )
            profile, end_s = self.ledger.profile, meter_us // SECOND_US
            for row in profile.between(profile.floor_s(before_s + 1), end_s):
                assert row.status & RowStatus.POWER_DOWN or end_s - before_s < 2
        elif stood_us is not None:
            self.time_is_lost(before_s, durable_us)
        for channel, (total, *rates) in self.served.items():
            assert total <= self.ledger.total(channel)
            assert all(a <= b for a, b in zip(rates, self.ledger.rates(channel), strict=False))

    @invariant()
    def holds(self) -> None:
        """All of it."""
        if hasattr(self, "meter"):
            self.balances()
            self.rows_follow()
            self.demand_is_possible()
            self.snapshots_stand()
            self.note_tariff(self.kept.activate_s)
            if self.is_steady:
                self.gas_is_true()

    def balances(self) -> None:
        """INV-1 by the audit, and by our own sums of what was fed in."""
        ledger = self.ledger
        assert [] == imbalances(ledger)
        measured = ledger.profile.measured()
        period_s = ledger.profile.period_s
        spans = [(row.start_s, row.start_s + period_s(row.start_s)) for row in measured]
        for column, (channel, account) in enumerate(self.kept.accounts.items()):
            assert account.in_rows(spans) == [row.deltas[column] for row in measured]
            assert account.total == ledger.total(channel)
            assert account.seen_mj % 3_600_000 == ledger.residual_mj(channel)
            assert account.unallocated == ledger.unallocated(channel)
            assert account.aged == ledger.aged(channel)
            rates = [account.rates[n + 1] for n in range(len(ledger.rates(channel)))]
            assert rates == ledger.rates(channel)
            assert rates == [sum(blocks) for blocks in ledger.blocks(channel)]
        assert self.kept.pulses == ledger.total("gas")

    def rows_follow(self) -> None:
        """Every period has one row, and measured ones leave by their own number alone."""
        profile = self.ledger.profile
        spans = [(r.start_s, r.start_s + profile.period_s(r.start_s)) for r in profile.measured()]
        depth_s = self.meter.config.profile.depth_days * DAY_S
        if any(self.ledger.aged(name) for name in self.kept.accounts):
            assert sum(end_s - start_s for start_s, end_s in spans) >= depth_s
        spans += [(run.start_s, run.end_s) for run in profile.runs]
        assert all(a[1] <= b[0] for a, b in pairwise(sorted(spans)))
        meter_us = self.meter_us(self.now_us)
        if meter_us is not None:
            behind_s = meter_us // SECOND_US - profile.open_s
            assert 0 <= behind_s <= profile.period_s(profile.open_s) + 2

    def demand_is_possible(self) -> None:
        """No maximum is above what can have flowed, or of a period that something has touched."""
        for channel, before in self.kept.peaks.items():
            state = self.ledger.demand_of(channel)
            peaks = [state.maximum, state.last, *state.highest, *state.rates]
            for peak in peaks:
                if peak is not None:
                    assert peak.power_w <= greatest_w(GREATEST_W, 300, 2000)
            if state.last is not None and state.last != before:
                end_s = state.last.end_s
                start_s = end_s - self.ledger.profile.period_s(end_s - 1)
                assert any(a <= start_s and end_s <= b for a, b in self.kept.passes_s[-3:])
            self.kept.peaks[channel] = state.last

    def snapshots_stand(self) -> None:
        """One of an instant, and what it says of gas never changes once it is said."""
        for kind in ("billing", "daily"):
            taken = self.ledger.snapshots(kind)
            starts_s = [each.at_s for each in taken]
            assert sorted(set(starts_s)) == starts_s
            for each in taken:
                before = self.kept.snapshots.get((kind, each.at_s))
                pulses = each.pulses.get("gas")
                if before is not None:
                    assert before[0] == each.energy
                    assert before[1] is None or before[1] == pulses
                self.kept.snapshots[kind, each.at_s] = (deepcopy(each.energy), deepcopy(pulses))
                assert pulses is None or pulses[0] == sum(pulses[1:])

    def teardown(self) -> None:
        """Rows read as they are kept, and indexes are the sums of what they hold."""
        if not hasattr(self, "meter"):
            return
        profile, ledger = self.ledger.profile, self.ledger
        rows = [] if profile.runs else [*ledger.rows(profile.first_s, 1 << 40)]
        rows = sorted([*rows, *ledger.open_rows()], key=lambda each: each.start_s)
        for channel in self.kept.accounts:
            index = ledger.aged(channel)
            key = f"{channel}_wh"
            for row in rows:
                index += row.deltas.get(key) or 0
                assert not row.indexes or index == row.indexes[key]
        self.storage.close()

    def gas_is_true(self) -> None:
        """While the meter's time is the host's, rows and snapshots hold what was turned.

        A row has the rate of the calendar that was in force when it opened.
        """
        (gas,) = self.ledger.pulse_channels
        doubtful = int(PulseStatus.INTERPOLATED | PulseStatus.PENDING | PulseStatus.DOUBTFUL_CLOCK)
        paired_s, rows = self.meter.clock.stretches[0].from_us // SECOND_US, gas.rows()
        turned = Counter(at_s // HALF_HOUR_S * HALF_HOUR_S for at_s in self.unit._pulses_s)
        for row in rows:
            if not row.status & doubtful and row.start_s > paired_s:
                assert turned[row.start_s] == row.pulses
            if row.pulses:
                number = [n for since_s, n in self.kept.tariffs if since_s <= row.start_s][-1]
                assert TARIFFS[number].rate("gas", row.start_s) == row.rate
        for taken in (*self.ledger.snapshots("billing"), *self.ledger.snapshots("daily")):
            pulses = taken.pulses.get("gas")
            if pulses is not None and not gas.aged and taken.at_s == taken.through_s:
                final = [row for row in rows if row.start_s + HALF_HOUR_S <= taken.at_s]
                assert sum(row.pulses for row in final) == pulses[0]
