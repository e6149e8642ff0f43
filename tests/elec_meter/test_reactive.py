"""Reactive energy: what the mains' quadrants are in registers, rows and snapshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from elec_meter import Meter, MeterConfig, SampleBlock, Storage
from elec_meter.assembly import check
from elec_meter.config import (
    ENERGY_NAMES,
    DisplayConfig,
    DisplayScreen,
    FlagConfig,
    ProfileConfig,
)
from elec_meter.flag.readout import Readout
from elec_meter.ledger import imbalances
from elec_meter.metrology import Calibration, Metrology
from elec_meter.objects import ProfileGeneric
from elec_meter.sampling import ConstantLoad, Converter, SyntheticMains
from shared.timegrid import from_unix_s, unix_s
from shared.units import MJ_PER_WH
from tests.elec_meter.storage.house import audited
from tests.elec_meter.storage.test_migrations import version_1

RATE_HZ = 4_000
BEGUN = datetime(2026, 4, 1, 11, 59, 56, tzinfo=UTC)
SECOND = timedelta(seconds=1)
REACTIVE = ENERGY_NAMES[2:]
BILLED = tuple(DisplayScreen(object=f"1-0:{c}.8.0", format="000000.0", unit="kWh") for c in (1, 2))
# Active and reactive power of two seconds each: every quadrant once, and the first again.
LOADS = ((9_000, 18_000), (-9_000, 15_000), (-9_000, -12_000), (9_000, -21_000), (500, 19_000))


@cache
def recording() -> SampleBlock:
    """Ten seconds on mains of which the half-hour ends in the midst."""
    blocks = []
    for number, (active_w, inductive_var) in enumerate(LOADS):
        load = ConstantLoad(active_w, inductive_var)
        mains = SyntheticMains(seed=1, rate_hz=RATE_HZ, anchor_utc=BEGUN, load=load)
        blocks.append(mains.block(number * 2 * RATE_HZ, 2 * RATE_HZ))
    return SampleBlock(
        np.concatenate([each.voltage for each in blocks]),
        np.concatenate([each.current for each in blocks]),
        0,
        RATE_HZ,
        BEGUN,
    )


def part(first: int, end: int) -> SampleBlock:
    """Some samples of the recording."""
    whole = recording()
    return SampleBlock(whole.voltage[first:end], whole.current[first:end], first, RATE_HZ, BEGUN)


def feed(meter: Meter, cuts: list[int]) -> None:
    """The recording in parts, each with the timers that are due."""
    ends = [*sorted(set(cuts)), len(recording())]
    for first, end in zip([0, *ends], ends, strict=False):
        now = BEGUN + timedelta(seconds=end / RATE_HZ)
        if end > first:
            meter.receive_block(part(first, end), now)
        meter.handle_timer(now)


def state(meter: Meter) -> list[object]:
    """Registers, residuals and rows of every channel."""
    ledger = meter.ledger
    return [
        [(ledger.total(name), ledger.residual_mj(name)) for name in ENERGY_NAMES],
        [(row.start_s, row.deltas) for row in (*ledger.rows(0, 1 << 40), *ledger.open_rows())],
    ]


def values(meter: Meter, d: int = 8) -> list[object]:
    """Reactive import, export, and the four quadrants."""
    return [meter.objects[f"1-0:{c}.{d}.0"].value for c in range(3, 9)]


def last_row(meter: Meter, code: str) -> dict[str, object]:
    """The newest row of a profile, by the codes of its columns."""
    profile = meter.objects[code]
    assert isinstance(profile, ProfileGeneric)
    return dict(zip((str(each.obis) for each in profile.columns), profile.rows()[-1], strict=True))


def test_registers_are_the_quadrants_of_the_samples() -> None:
    """Whole varh of what metrology measured, and what is left of them; each quadrant its own."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGUN)
    feed(meter, [])
    metrology = Metrology(Calibration.for_converter(Converter()), rate_hz=RATE_HZ)
    measured = metrology.process(recording()).reactive_mvars.sum(axis=0).tolist()

    ledger = meter.ledger
    assert [divmod(each, MJ_PER_WH) for each in measured] == [
        (ledger.total(name), ledger.residual_mj(name)) for name in REACTIVE
    ]
    # 2 s of each power; the second in which it changes belongs to either.
    varh = [(18_000 + 19_000) / 1800, 15_000 / 1800, 12_000 / 1800, 21_000 / 1800]
    assert varh == pytest.approx([each / MJ_PER_WH for each in measured], rel=0.05)
    q1, q2, q3, q4 = (ledger.total(name) for name in REACTIVE)
    assert [q1 + q2, q3 + q4, q1, q2, q3, q4] == values(meter)
    assert {"varh"} == {meter.objects[f"1-0:{c}.8.0"].unit for c in range(3, 9)}
    assert min(q1, q2, q3, q4) > 0
    assert [] == imbalances(ledger)


@cache
def uncut() -> list[object]:
    """The recording in one piece."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGUN)
    feed(meter, [])
    return state(meter)


@given(st.lists(st.integers(1, len(LOADS) * 2 * RATE_HZ - 1), max_size=12))
def test_registers_are_the_same_however_samples_are_cut(cuts: list[int]) -> None:
    """And so are residuals, and every row: the half-hour ends amid the samples."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGUN)
    feed(meter, cuts)

    assert uncut() == state(meter)
    assert [] == imbalances(meter.ledger)


def test_columns_of_the_load_profile_are_what_the_signs_advanced_by() -> None:
    """`1-0:99.1.0` has the two signs, `1-0:99.1.2` the index of each quadrant."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGUN)
    feed(meter, [])
    now = BEGUN + timedelta(minutes=31)
    meter.handle_timer(now)
    profile = meter.objects["1-0:99.1.0"]
    assert isinstance(profile, ProfileGeneric)
    first, last = ([int(str(each)) for each in row[4:]] for row in profile.rows())
    sums = last_row(meter, "1-0:99.1.2")

    assert values(meter)[:2] == [sum(each) for each in zip(first, last, strict=True)]
    assert values(meter)[2:] == [sums[f"0-0:128.34.{k}"] for k in range(2, 6)]
    assert last == values(meter, 29)[:2]
    assert min(*first[:1], *last) > 0


def test_a_power_cut_takes_no_varh_that_was_durable(tmp_path: Path) -> None:
    """What was checked in is there again, residuals too; an outage is rows without any."""
    storage = Storage.open(tmp_path)
    meter = Meter(MeterConfig(), storage, BEGUN)
    feed(meter, [20_000])
    meter.checkpoint()
    before = state(meter)
    storage.close()  # nothing more was saved

    assert [] == audited(tmp_path)
    with Storage.open(tmp_path) as storage:
        again = Meter(MeterConfig(), storage, BEGUN + timedelta(hours=3))
        assert before[0] == state(again)[0]
        assert values(meter) == values(again)
        rows = list(again.ledger.rows(0, 1 << 40))
        assert [again.ledger.total(name) for name in REACTIVE] == [
            sum(row.deltas[f"{name}_varh"] or 0 for row in rows) for name in REACTIVE
        ]


def test_without_a_time_varh_are_unallocated() -> None:
    """As Wh are: in the register, in no row, in the entry of the spell."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGUN)
    meter.lose_clock(BEGUN)
    feed(meter, [])
    totals = [meter.ledger.total(name) for name in REACTIVE]

    assert min(totals) > 0
    assert totals == [meter.objects[f"0-0:128.30.{k}"].value for k in range(2, 6)]
    assert totals == [meter.ledger.spells[-1].quantities[name] for name in REACTIVE]
    assert [] == imbalances(meter.ledger)


def test_varh_of_rows_that_leave_are_aged() -> None:
    """Two days later nothing of the first is in a row."""
    config = MeterConfig(profile=ProfileConfig(depth_days=1))
    meter = Meter(config, Storage.in_memory(), BEGUN)
    feed(meter, [])
    totals = [meter.ledger.total(name) for name in REACTIVE]
    meter.handle_timer(BEGUN + timedelta(days=2))

    assert totals == [meter.ledger.aged(name) for name in REACTIVE]
    assert totals == [meter.objects[f"0-0:128.33.{k}"].value for k in range(2, 6)]
    assert [] == imbalances(meter.ledger)


def test_snapshots_keep_varh_and_bills_are_not_made_of_them() -> None:
    """Day and billing period keep all quadrants; no screen has to show one, but one may."""
    shown = (*BILLED, DisplayScreen(object="1-0:3.8.0", format="000000.0", unit="kvarh"))
    config = MeterConfig(display=DisplayConfig(scroll=shown))
    check(config, BEGUN)
    check(replace(config, display=DisplayConfig(scroll=BILLED)), BEGUN)
    meter = Meter(config, Storage.in_memory(), BEGUN)
    feed(meter, [])
    meter.end_billing(BEGUN + timedelta(seconds=11))
    meter.handle_timer(BEGUN + timedelta(days=1))

    for code in ("0-0:98.1.0", "1-0:99.2.0"):
        kept = last_row(meter, code)
        assert values(meter)[2:] == [kept[f"1-0:{c}.8.0"] for c in range(5, 9)]


def test_a_load_without_samples_has_no_reactive_energy() -> None:
    """Of recorded energy only what is active is known."""
    meter = Meter(MeterConfig(), Storage.in_memory(), BEGUN)
    end = BEGUN + timedelta(hours=1)
    meter.receive_energy("import", 700 * MJ_PER_WH, BEGUN, end, end)

    assert 700 == meter.objects["1-0:1.8.0"].value
    assert [0] * 6 == values(meter)


def test_a_readout_can_have_varh() -> None:
    """In kvarh, with the digits of a register."""
    config = replace(MeterConfig(), flag=FlagConfig(readout=("5.8.0", "3.8.0")))
    meter = Meter(config, Storage.in_memory(), BEGUN)
    feed(meter, [])
    lines = Readout(meter.objects, config.flag.readout, lambda: None).block()

    assert b"5.8.0(000000.%03d*kvarh)\r\n" % meter.ledger.total("reactive_q1") in lines
    assert b"3.8.0(000000.%03d*kvarh)\r\n" % values(meter)[0] in lines


def test_a_directory_of_an_earlier_version_counts_varh_from_now_on(tmp_path: Path) -> None:
    """Its registers begin at 0, its rows had none, and its own configuration goes on."""
    directory = version_1(tmp_path / "data")
    with Storage.open(directory) as storage:
        config, durable_s = storage.load_config(), storage.load().durable_s
        assert config is not None
        assert durable_s is not None
        start = from_unix_s(durable_s)
        meter = Meter(config, storage, start)
        imported = meter.ledger.total("import")
        assert [0] * 6 == values(meter)
        end = start + timedelta(hours=1)
        energies_mj = {"import": 30 * MJ_PER_WH, "reactive_q4": 20 * MJ_PER_WH + 5}
        meter.receive_energies(energies_mj, start, end, end)
        meter.handle_timer(end + SECOND)
        meter.checkpoint()
    assert [] == audited(directory)
    with Storage.open(directory) as storage:
        again = Meter(config, storage, end + 2 * SECOND)
        assert [0, 20, 0, 0, 0, 20] == values(again)
        assert (imported + 30, 5) == (
            again.ledger.total("import"),
            again.ledger.residual_mj("reactive_q4"),
        )
        old = again.ledger.rows(0, unix_s(start) - 3_600)
        assert {0} == {row.deltas["reactive_q4_varh"] for row in old if "import_wh" in row.deltas}


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (
            "UPDATE ledger_account SET total_wh = total_wh + 1 WHERE channel = 'reactive_q2'",
            "reactive_q2: the register is 9 varh, and its rates are 8 varh",
        ),
        (
            "UPDATE ledger_row SET reactive_q3_varh = 1000 WHERE reactive_q3_varh > 0",
            "reactive_q3: the register is 6 varh, and its rows are 1000 varh",
        ),
    ],
)
def test_the_audit_finds_a_varh_that_was_edited(tmp_path: Path, edit: str, found: str) -> None:
    """Register, rates and rows prove each other."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(MeterConfig(), storage, BEGUN)
        feed(meter, [])
        meter.checkpoint()
    assert [] == audited(tmp_path)
    with Storage.open(tmp_path) as storage:
        storage.connection.execute(edit)
        storage.commit()

    assert [each for each in audited(tmp_path) if each.startswith(found)]
