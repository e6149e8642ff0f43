"""A meter's whole life, at random: all that can happen to it."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from collector import MemoryKeystore, UnitRecord
from elec_meter import Meter
from elec_meter.clock import Synchronisation, from_unix_us, unix_us
from elec_meter.config import (
    BillingConfig,
    ClockConfig,
    DemandConfig,
    GasUnitConfig,
    MeterConfig,
    PassiveTariff,
    ProfileConfig,
)
from elec_meter.errors import ClockError, DemandLockedError
from elec_meter.testing.unit import FIRST_COUNT, PaperUnit
from tests.elec_meter.machine_checks import (
    BACKUP_H,
    DAY_S,
    GREATEST_W,
    HALF_HOUR_S,
    HOUR_S,
    START_S,
    CheckedLife,
    Kept,
    copied,
    empty_storage,
    gas_books,
)
from tests.elec_meter.machine_tariffs import TARIFFS

EARLIEST_S, LATEST_S = START_S - 3000 * DAY_S, START_S + 9000 * DAY_S
KEY = bytes(range(16))
DERIVED = (
    "DELETE FROM collector_boundary",
    "DELETE FROM collector_flag",
    "DELETE FROM ledger_pulse_row",
    "DELETE FROM ledger_pulse_run",
    "DELETE FROM ledger_pulse_channel",
    "DELETE FROM ledger_rate WHERE channel = 'gas'",
    "DELETE FROM ledger_block WHERE channel = 'gas'",
)
SHORT_S = st.sampled_from([1, 3, 61, 400, 1799, 1800, 4000, 2 * HOUR_S])
LONG_S = st.sampled_from([3 * HOUR_S, 26 * HOUR_S, 50 * HOUR_S])
JUMPS_S = st.sampled_from(
    [1, 59, 1000, 1800, 5000, 7 * HOUR_S, DAY_S, 9 * DAY_S, 40 * DAY_S, 800 * DAY_S]
)


class Life(CheckedLife):
    """A meter, its gas unit, and everything that can happen to them."""

    @initialize(
        start_us=st.sampled_from([0, 700_000_000, 1_799_500_000, 52_000_000_000]),
        drift=st.sampled_from([None, None, None, 0, 80, -80]),
        period=st.sampled_from([30, 30, 5, 60]),
        tariff=st.integers(0, len(TARIFFS) - 1),
    )
    def first_power_up(self, start_us: int, drift: int | None, period: int, tariff: int) -> None:
        """Power comes for the first time, and the unit is paired; without drift, time is true."""
        self.is_steady = drift is None
        self.storage, self.keys = empty_storage(), MemoryKeystore()
        self.now_us = START_S * 1_000_000 + start_us
        config = MeterConfig(
            checkpoint_s=600,
            clock=ClockConfig(
                drift_ppm=Decimal(drift or 0),
                temperature_ppm=Decimal("0.03"),
                backup_h=10_000 if self.is_steady else BACKUP_H,
            ),
            profile=ProfileConfig(period_min=period, depth_days=1),
            demand=DemandConfig(lockout_s=600),
            billing=BillingConfig(time_base="utc"),
            tariff=TARIFFS[tariff].tariff,
            gas_units=(GasUnitConfig(serial="00000001"),),
        )
        self.kept = Kept(tariff)
        self.begin_pass(None, self.now_us // 1_000_000)
        self.meter = Meter(config, self.storage, self.now, keystore=self.keys)
        self.unit = PaperUnit(
            "00000001", KEY, self.now_us // 1_000_000 // HALF_HOUR_S * HALF_HOUR_S
        )
        record = UnitRecord(
            serial="00000001", channel="gas", paired_utc=self.now, base_count=FIRST_COUNT
        )
        self.meter.pair(record, KEY, self.now)
        self.air: list[tuple[int, bytes, int, int]] = []
        self.late: list[tuple[int, int, dict[str, int]]] = []
        self.turned_to_s = 0
        self.durable = self.kept.copy()
        self.served: dict[str, list[int]] = {}
        self.seen = 0
        self.touch_checkpoint()

    # What happens

    @rule(
        seconds=SHORT_S,
        import_w=st.integers(0, GREATEST_W),
        export_w=st.integers(0, 1000),
        how=st.sampled_from(["energy", "series", "series", "late"]),
    )
    def measure(self, seconds: int, import_w: int, export_w: int, how: str) -> None:
        """Time passes, and energy flows."""
        start_us = self.now_us
        self.now_us += seconds * 1_000_000
        powers_w = {"import": import_w, "export": export_w}
        if how == "late":
            self.late.append((start_us, self.now_us, powers_w))
        elif how == "series" and start_us % 1_000_000 == 0 and seconds <= HOUR_S * 2:
            self.receive_series(start_us, seconds, powers_w)
        else:
            self.receive_energy(start_us, self.now_us, powers_w)
        self.meter.handle_timer(self.now)
        self.touch_checkpoint()

    @rule(seconds=LONG_S)
    def wait(self, seconds: int) -> None:
        """Time passes, and nobody looks."""
        self.now_us += seconds * 1_000_000
        self.meter.handle_timer(self.now)
        self.touch_checkpoint()

    @precondition(lambda self: self.late)
    @rule(which=st.integers(0, 9))
    def receive_late(self, which: int) -> None:
        """Energy of the past comes."""
        start_us, end_us, powers_w = self.late.pop(which % len(self.late))
        self.receive_energy(start_us, end_us, powers_w)
        self.touch_checkpoint()

    @rule(
        pulses=st.integers(1, 40),
        is_lost=st.booleans(),
        seconds=st.sampled_from([0, 700, 1800, 5000]),
    )
    def turn_and_tell(self, pulses: int, is_lost: bool, seconds: int) -> None:
        """Gas flows in the half-hour to come; after a while the unit sends what it has counted."""
        start_s = max(self.now_us // 1_000_000 + 1, self.turned_to_s)
        self.unit.turn(start_s, pulses)
        self.turned_to_s = start_s + HALF_HOUR_S
        self.now_us += seconds * 1_000_000
        self.meter.handle_timer(self.now)
        self.touch_checkpoint()
        now_s = self.now_us // 1_000_000
        self.air.append((now_s, self.unit.frame(now_s), *self.told(now_s)))
        if not is_lost:
            self.hear_frame(len(self.air) - 1)

    @precondition(lambda self: not self.is_steady)
    @rule(jump_s=JUMPS_S, is_back=st.booleans())
    def set_clock(self, jump_s: int, is_back: bool) -> None:
        """The clock is set."""
        old_us = self.meter_us(self.now_us)
        new_us = (self.now_us if old_us is None else old_us) + jump_s * (
            -1 if is_back else 1
        ) * 1_000_000
        assume(EARLIEST_S * 1_000_000 < new_us < LATEST_S * 1_000_000)
        self.meter.set_clock(from_unix_us(new_us), self.now)
        self.was_set(None if old_us is None else old_us // 1_000_000, new_us // 1_000_000)

    @rule(
        seconds=st.sampled_from(
            [0, 1, 400, 1800, 3 * HOUR_S, 23 * HOUR_S, 30 * HOUR_S, 50 * HOUR_S]
        ),
        is_torn=st.booleans(),
    )
    def lose_power(self, seconds: int, is_torn: bool) -> None:
        """Power goes, with or without a last checkpoint, and comes back."""
        if is_torn:
            self.storage.connection.rollback()
            self.kept = self.durable.copy()
        else:
            self.meter.checkpoint()
            self.touch_checkpoint()
        self.late.clear()
        durable_us = self.durable_us
        self.now_us += seconds * 1_000_000
        config = self.storage.load_config()
        assert config is not None
        self.power_up(config, durable_us)

    @rule(
        tariff=st.integers(0, len(TARIFFS) - 1),
        period=st.sampled_from([None, 5, 10, 15, 20, 30, 60]),
        sub_periods=st.sampled_from([1, 5]),
        passive=st.sampled_from([None, None, None, -HOUR_S, 300, 2400, 50 * HOUR_S]),
        next_tariff=st.integers(0, len(TARIFFS) - 1),
    )
    def apply_config(
        self,
        tariff: int,
        period: int | None,
        sub_periods: int,
        passive: int | None,
        next_tariff: int,
    ) -> None:
        """Another tariff, other periods, or a tariff that is to come."""
        config = self.meter.config
        at_s = (self.meter_us(self.now_us) or self.now_us) // 1_000_000
        coming = None
        if passive is not None:
            activate = from_unix_us((at_s + passive) // 60 * 60_000_000)
            coming = PassiveTariff(activate, TARIFFS[next_tariff].tariff)
        self.meter.apply_config(
            msgspec.structs.replace(
                config,
                tariff=config.tariff if coming else TARIFFS[tariff].tariff,
                passive=coming,
                profile=msgspec.structs.replace(
                    config.profile, period_min=period or config.profile.period_min
                ),
                demand=msgspec.structs.replace(config.demand, sub_periods=sub_periods),
            ),
            self.now,
        )
        self.note_tariff(self.now_us // 1_000_000)
        if coming is not None:
            self.kept.activate_s = unix_us(coming.activate) // 1_000_000
        rates = {"import": self.meter.config.tariff.import_.rates}
        rates["export"] = self.meter.config.tariff.export.rates
        for channel, rate in self.kept.active.items():
            if rate > rates[channel]:
                self.kept.active[channel] = 1
        self.touch_checkpoint()

    def fold_again(self) -> None:
        """INV-3: nothing derived, and the journal written in another order, give the same."""
        self.meter.checkpoint()
        self.touch_checkpoint()
        plain, bare = copied(self.storage.connection), copied(self.storage.connection)
        for statement in DERIVED:
            bare.connection.execute(statement)
        entries = bare.connection.execute("SELECT * FROM collector_journal").fetchall()
        bare.connection.execute("DELETE FROM collector_journal")
        for entry in reversed(entries):
            marks = ", ".join("?" * len(entry))
            bare.connection.execute(f"INSERT INTO collector_journal VALUES ({marks})", entry)
        bare.connection.commit()
        both = [
            Meter(self.meter.config, storage, self.now, keystore=self.keys)
            for storage in (plain, bare)
        ]
        assert gas_books(both[0]) == gas_books(both[1])
        for storage in (plain, bare):
            storage.close()

    @rule(which=st.integers(-3, 50))
    def hear(self, which: int) -> None:
        """A telegram comes: a new one, or one late, once more, or out of order."""
        if which < 0 or not self.air:
            now_s = self.now_us // 1_000_000
            self.air.append((now_s, self.unit.frame(now_s), *self.told(now_s)))
            which = -1
        self.hear_frame(which % len(self.air))

    @precondition(lambda self: not self.is_steady)
    @rule(
        what=st.sampled_from(["adjust", "synchronise", "lose", "warm"]),
        by_s=st.sampled_from([-450, -12, 3, 450, 0]),
        away_ms=st.sampled_from([-9000, 1300, 9900, 20_000]),
        temperature=st.integers(-10, 50),
    )
    def disturb_clock(self, what: str, by_s: int, away_ms: int, temperature: int) -> None:
        """The clock is adjusted, synchronised or lost, or its crystal warmed."""
        old_us = self.meter_us(self.now_us)
        if what == "warm":
            self.meter.clock.warm(Decimal(temperature), self.now)
        elif what == "synchronise":
            new_us = (self.now_us if old_us is None else old_us) + away_ms * 1000
            outcome = self.meter.synchronise_clock(from_unix_us(new_us), self.now)
            if outcome is Synchronisation.SET:
                self.was_set(None if old_us is None else old_us // 1_000_000, new_us // 1_000_000)
        elif old_us is not None and what == "adjust":
            self.meter.adjust_clock(by_s, self.now)
        elif old_us is not None:
            self.time_is_lost(old_us // 1_000_000, self.now_us)
            self.meter.lose_clock(self.now)
        self.touch_checkpoint()

    @rule(what=st.sampled_from(["checkpoint", "end billing", "reset demand", "fold again"]))
    def order(self, what: str) -> None:
        """All is made durable, a period of billing ends, or the button is pressed."""
        if what == "end billing" and self.meter_us(self.now_us) is None:
            with pytest.raises(ClockError):
                self.meter.end_billing(self.now)
        elif what == "end billing":
            self.meter.end_billing(self.now)
        elif what == "reset demand":
            with suppress(DemandLockedError):
                self.meter.reset_demand(self.now)
                for state in self.meter.ledger.demand.maxima().values():
                    assert state.maximum is None
        elif what == "fold again":
            self.fold_again()
        else:
            self.meter.checkpoint()
        self.touch_checkpoint()
