"""Random lives of a gas channel whose units come and go, and power cuts in the middle of that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import MemoryKeystore, PairingError, ReceivedFrame, UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.access import Level
from elec_meter.cli import control, pairing
from elec_meter.config import GasUnitConfig
from elec_meter.control import Orders, UnpairUnit
from elec_meter.ledger import imbalances
from elec_meter.ledger.state import PulseRow
from elec_meter.pairing_place import PairingPlaceOfMeter
from pulse_unit.board import INPUT_BUTTON
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.timegrid import from_unix_ms, unix_ms
from shared.units import PULSE_10_L
from tests.elec_meter.storage.crash import Served, crashes, survived, tell_commits

START = datetime(2026, 1, 15, 17, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = bytes(range(16))


class Channel:
    """A gas meter, the unit on it, those in the drawer, and the electricity meter that hears."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.keystore = MemoryKeystore()
        self.now = START
        self.meter = self._powered(MeterConfig(gas_units=(GasUnitConfig(serial="00000001"),)))
        self.units: list[VirtualUnit] = []
        self.told: dict[str, int] = {}
        self.is_paired = self.is_lossy = False
        self.install()

    @property
    def serial(self) -> str:
        """Of the newest unit."""
        return f"{len(self.units):08}"

    @property
    def place(self) -> PairingPlaceOfMeter:
        """Where an installer pairs."""
        place = PairingPlaceOfMeter(self.meter)
        place.level = Level.INSTALLER
        return place

    def restart(self) -> None:
        """Power goes and comes back."""
        self.meter.checkpoint()
        self.meter = self._powered(self.meter.config)

    def live(self, minutes: int, turns: int) -> list[ReceivedFrame]:
        """The gas meter turns at an even pace; what the newest unit sent, at the end by button."""
        end, own = self.now + minutes * MINUTE, []
        newest, pressed_ms = self.units[-1], unix_ms(end - MINUTE / 2)
        for n in range(turns):
            newest.pulse(unix_ms(self.now) + (pressed_ms - unix_ms(self.now)) * n // turns)
        for unit in self.units[-2:]:
            unit.press(INPUT_BUTTON, pressed_ms)
            unit.press(0, pressed_ms + 100)
        for unit in self.units:
            for sent_ms, data in unit.advance(unix_ms(end)):
                frame = ReceivedFrame(data, from_unix_ms(sent_ms), "paper", delay_max_s=5)
                if unit is newest:
                    own.append(frame)
                if not self.is_lossy and (unit is not newest or self.is_paired):
                    self.meter.receive_frame(frame, from_unix_ms(sent_ms))
        self.now = end
        self.meter.handle_timer(end)
        if self.is_paired and not self.is_lossy:
            self.told[self.serial] = newest.count
        return own

    def install(self, minutes: int = 0, turns: int = 0) -> None:
        """A new unit on the gas meter; it counts for a while before its pairing is kept."""
        old = self.serial if self.is_paired else None
        self.is_paired = False
        number = len(self.units) + 1
        self.units.append(
            VirtualUnit(f"{number:08}", KEY, UnitConfig(), boot_utc_ms=unix_ms(self.now), pages=0)
        )
        record = UnitRecord(
            serial=self.serial, channel="gas", paired_utc=self.now, base_count=0, weight=PULSE_10_L
        )
        frames = self.live(minutes, turns) if minutes else []
        details = SimpleNamespace(weight=PULSE_10_L, meter_serial="G4", mprn="", dial="")
        outcome: Any = SimpleNamespace(
            record=record,
            key=KEY,
            meter=details,
            frames=tuple(frames),
            phased_ms=None,
            command_counter=0,
        )
        if old is not None and minutes and not self.is_lossy:
            self.told[old] = self.units[-2].count  # from the fitter's hand
        self.place.commit(outcome, self.now, exchanges=old)
        self.is_paired = True
        self.told[self.serial] = self.units[-1].count if frames else 0

    def unpair(self) -> None:
        """Take the unit off."""
        if self.is_paired:
            self.place.unpair(self.serial, self.now)
            self.is_paired = False

    def final_rows(self) -> dict[int, PulseRow]:
        """What never changes any more."""
        return {row.start_s: row for row in self.meter.ledger.pulse_channels[0].rows()}

    def _powered(self, config: MeterConfig) -> Meter:
        return Meter(config, self.storage, self.now, keystore=self.keystore)


OPS = st.one_of(
    st.tuples(st.just("live"), st.integers(1, 200), st.integers(0, 40)),
    st.tuples(st.just("install"), st.integers(1, 50), st.integers(0, 10)),
    st.tuples(st.sampled_from(["unpair", "restart", "lose", "hear"])),
)


@pytest.mark.parametrize("examples", [6, pytest.param(300, marks=pytest.mark.slow)])
def test_any_succession_of_units_is_one_register(examples: int) -> None:
    """It is what every unit told, it never falls, no final row changes, and the books balance."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(OPS, min_size=3, max_size=9))
    def demand(life: list[tuple[Any, ...]]) -> None:
        channel = Channel(Storage.in_memory())
        total, rows = 0, channel.final_rows()
        for name, *numbers in [*life, ("hear",), ("live", 60, 0), ("restart",)]:
            if name in ("lose", "hear"):
                channel.is_lossy = name == "lose"
            else:
                getattr(channel, name)(*numbers)
            now, before, rows = channel.meter.ledger.total("gas"), rows, channel.final_rows()
            assert total <= now
            assert before == {start_s: rows.get(start_s) for start_s in before}
            total = now
            assert [] == imbalances(channel.meter.ledger)
        assert sum(channel.told.values()) == total

    demand()


def test_power_that_fails_during_an_exchange_leaves_one_unit(tmp_path: Path) -> None:
    """Whatever the disk had then, the books balance, and no register falls."""

    def scenario(storage: Storage, served: Served) -> None:
        tell_commits(storage, served)
        channel = Channel(storage)
        channel.live(20, 5)
        channel.install(10, 4)

    scratch = tmp_path / "crash"
    scratch.mkdir()
    found = crashes(tmp_path / "home", scenario)
    exchanging = [each for each in found if each.after.get("gas") == 9]
    assert {5, 9} == {each.before["gas"] for each in exchanging}
    survived(exchanging, scratch)


def test_a_unit_is_unpaired_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, whatever comes twice; an unknown serial is refused in one sentence."""
    channel = Channel(Storage.in_memory())
    channel.live(20, 5)
    meter = channel.meter
    orders = Orders(meter, now=lambda: channel.now, durable=meter.checkpoint, status=dict)
    monkeypatch.setattr(pairing, "order", lambda _, request: orders.perform(request))
    words = ["unpair", "00000001", "--yes", "--data", "home"]
    said = CliRunner().invoke(control.command, words)
    assert "gas has no unit now; it has counted 5 pulses.\n" == said.output
    assert channel.keystore.get("00000001") is None
    again = CliRunner().invoke(control.command, words)
    assert (
        "the unit 00000001 was taken off this meter already, and what it counted is in gas"
    ) == str(again.exception)
    order = UnpairUnit(serial="00000002", key="once")
    channel.is_paired = False
    channel.install(10, 4)
    assert {"channel": "gas", "pulses": 9} == orders.perform(order)
    assert {"channel": "gas", "pulses": 9, "repeated": True} == orders.perform(order)


def test_a_committed_exchange_is_not_planned_again() -> None:
    """A unit that has given way feeds no channel."""
    channel = Channel(Storage.in_memory())
    channel.install(10, 3)
    outcome: Any = SimpleNamespace(record=SimpleNamespace(channel="gas"), key=KEY)
    with pytest.raises(PairingError, match="the unit 00000001 was taken off this meter"):
        channel.place.commit(outcome, channel.now, exchanges="00000001")
