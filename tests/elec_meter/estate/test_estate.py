from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.cli.main import main
from elec_meter.errors import EstateError
from elec_meter.estate import EstateStore, Plan, aggregate, block_count, simulate, simulate_block
from elec_meter.estate import households as households_module
from elec_meter.estate.households import _local_shifts, _net_mj
from shared.units import MJ_PER_WH

START = datetime(2026, 3, 28, tzinfo=UTC)


def plan(meters: int = 5, days: int = 3, seed: int = 1) -> Plan:
    """Around the day on which the clocks go forward."""
    return Plan.of(meters, days, START, seed)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two meters a block, so that a few have several."""
    monkeypatch.setattr(households_module, "BLOCK_CELLS", 2 * 3 * 48)


def written(directory: Path, made: Plan, engine: str = "local") -> EstateStore:
    """An estate on disk."""
    store = EstateStore(directory)
    assert made.meters == sum(simulate(made, store, engine))
    return store


def contents(directory: Path) -> dict[str, bytes]:
    """All files."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def ran(*words: object) -> Result:
    """What the command comes to."""
    return CliRunner().invoke(main, ["estate", *map(str, words)], catch_exceptions=False)


@settings(max_examples=20, deadline=None)
@given(meters=st.integers(1, 6), days=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_nothing_is_lost_on_the_way_to_the_registers(meters: int, days: int, seed: int) -> None:
    """Half-hours are the register, and with what is below a Wh exactly the energy that flowed."""
    made = plan(meters, days, seed)
    block = simulate_block(made, 0)
    shifts = _local_shifts(made)
    for meter in range(meters):
        net_mj = _net_mj(made, meter, shifts)
        for sign, name in ((1, "import"), (-1, "export")):
            rows_wh = getattr(block, f"{name}_wh")[meter].tolist()
            register_wh = int(getattr(block, f"{name}_register_wh")[meter])
            residual_mj = int(getattr(block, f"{name}_residual_mj")[meter])
            assert register_wh == sum(rows_wh)
            assert 0 <= residual_mj < MJ_PER_WH
            flowed_mj = int(np.maximum(sign * net_mj, 0).sum())
            assert flowed_mj == register_wh * MJ_PER_WH + residual_mj


def test_a_meter_is_the_same_in_every_estate(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others there are, and however they are put into blocks; another seed differs."""
    many = simulate_block(plan(20), 0)
    few = simulate_block(plan(3), 0)
    assert np.array_equal(many.import_wh[:3], few.import_wh)
    monkeypatch.setattr(households_module, "BLOCK_CELLS", 2 * 3 * 48)
    assert np.array_equal(many.export_wh[4:6], simulate_block(plan(20), 2).export_wh)
    assert not np.array_equal(few.import_wh, simulate_block(plan(3, seed=2), 0).import_wh)


def test_homes_are_like_homes() -> None:
    """2 to 20 kWh a day on average, evenings above nights, and some feed in, by day alone."""
    block = simulate_block(plan(300, 7), 0)
    daily_kwh = block.import_register_wh.mean() / 7 / 1_000
    assert 2 < daily_kwh < 20
    by_period = block.import_wh.reshape(300, 7, 48).mean(axis=(0, 1))
    assert by_period[34:42].mean() > 2 * by_period[4:10].mean()
    feeding = (block.export_register_wh > 0).mean()
    assert 0.1 < feeding < 0.4
    assert 0 == block.export_wh.reshape(300, 7, 48)[:, :, :8].sum()


@pytest.mark.usefixtures("small_blocks")
def test_the_engine_changes_no_byte(tmp_path: Path) -> None:
    """Files and sums are the same on Dask."""
    pytest.importorskip("dask")
    local = written(tmp_path / "local", plan())
    dask = written(tmp_path / "dask", plan(), "dask")
    assert contents(local.directory) == contents(dask.directory)
    assert 4 == len(contents(local.directory))
    *_, one = aggregate(local, engine="local")
    *_, other = aggregate(dask, engine="dask")
    assert one.summary() == other.summary()
    assert one.table() == other.table()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("meters", "days"), [(None, None), (3, None), (None, 2), (1, 1)])
def test_sums_are_those_of_the_meters(tmp_path: Path, meters: int | None, days: int | None) -> None:
    """Half-hour by half-hour, added up one by one: peak, diversity and load factor with them."""
    made = plan()
    store = written(tmp_path, made)
    *_, sums = aggregate(store, meters, days)
    kept, cells = meters or made.meters, 48 * (days or made.days)
    rows = [
        row[:cells]
        for number in range(block_count(made))
        for row in simulate_block(made, number).import_wh.tolist()
    ][:kept]
    together = [sum(column) for column in zip(*rows, strict=True)]
    told = sums.summary()
    assert (kept, cells, sum(together)) == (told.meters, told.half_hours, told.import_wh)
    assert 2 * max(together) == told.peak_w
    assert 2 * sum(map(max, rows)) == told.own_peaks_w
    assert told.diversity is not None
    assert sum(map(max, rows)) / max(together) == pytest.approx(float(told.diversity), abs=0.001)
    listed = list(csv.DictReader(sums.table().splitlines()))
    assert list(map(str, together)) == [row["import_wh"] for row in listed]


def test_the_table_names_settlement_periods(tmp_path: Path) -> None:
    """The day on which the clocks go forward has 46."""
    store = written(tmp_path, plan(2, 3))
    *_, sums = aggregate(store)
    rows = list(csv.DictReader(sums.table().splitlines()))
    periods = [row["settlement_period"] for row in rows if row["settlement_date"] == "2026-03-29"]
    assert list(map(str, range(1, 47))) == periods
    assert "2026-03-28T00:00:00Z" == rows[0]["start"]


@pytest.mark.usefixtures("small_blocks")
def test_what_was_interrupted_is_not_whole(tmp_path: Path) -> None:
    """Also in the place of one that was: nothing is added up until it is simulated again."""
    store = written(tmp_path, plan())
    steps = simulate(plan(seed=2), store)
    next(steps)
    steps.close()
    with pytest.raises(EstateError, match="holds no whole estate"):
        store.read_plan()
    written(tmp_path, plan())
    assert plan() == store.read_plan()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: data[:200], "block-000001.npz is damaged"),
        (lambda data: b"", "block-000001.npz is damaged"),
        (lambda data: data[:300] + b"\x55\xaa" + data[302:], "block-000001.npz"),
        (None, "block-000001.npz is missing"),
    ],
)
def test_damage_is_found(tmp_path: Path, damage: object, sentence: str) -> None:
    """Cut, emptied, changed or gone: the block is named."""
    store = written(tmp_path, plan())
    path = tmp_path / "block-000001.npz"
    if callable(damage):
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(EstateError, match=sentence):
        list(aggregate(store))


@pytest.mark.usefixtures("small_blocks")
def test_a_register_that_is_another_is_found(tmp_path: Path) -> None:
    """As is a block of another estate."""
    store = written(tmp_path, plan())
    with np.load(tmp_path / "block-000000.npz") as arrays:
        kept = dict(arrays)
    kept["import_register_wh"][0] += 1
    np.savez(tmp_path / "block-000000.npz", **kept)
    with pytest.raises(EstateError, match="a register is not the sum of its half-hours"):
        list(aggregate(store))
    (tmp_path / "block-000001.npz").replace(tmp_path / "block-000000.npz")
    with pytest.raises(EstateError, match="is a block of another estate"):
        list(aggregate(store))


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Nothing in it is touched."""
    (tmp_path / "diary.txt").write_text("dear diary")
    result = ran("simulate", "--meters", 1, "--days", 1, "-o", tmp_path)
    assert (1, True) == (result.exit_code, "holds diary.txt" in result.stderr)
    assert {"diary.txt": b"dear diary"} == contents(tmp_path)


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    """As JSON and for people; the same estate again is the same, byte by byte."""
    words = ("--meters", 4, "--days", 2, "--start", "2026-03-28T00:00:00Z", "-o", tmp_path)
    told = json.loads(ran("simulate", *words, "--json").stdout)
    assert {"meters": 4, "days": 2, "half_hours": 96, "blocks": 1} == told
    before = contents(tmp_path)
    assert "4 meters, 96 half-hours each, in 1 files" in ran("simulate", *words).stdout
    assert before == contents(tmp_path)
    summary = json.loads(ran("aggregate", "-o", tmp_path, "--json").stdout)
    assert (4, 96) == (summary["meters"], summary["half_hours"])
    table = list(csv.DictReader((tmp_path / "aggregate.csv").read_text().splitlines()))
    assert summary["import_wh"] == sum(int(row["import_wh"]) for row in table)
    assert "the meters' own peaks come to" in ran("aggregate", "-o", tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("simulate", "--days", 1), 2, "Missing option '--meters'"),
        (("simulate", "--meters", 0, "--days", 1), 2, "0 is not in the range"),
        (("simulate", "--meters", 1, "--days", 1, "--start", "2026-01-01T12:00Z"), 1, "midnight"),
        (("aggregate",), 1, "holds no whole estate"),
        (("aggregate", "--engine", "ray"), 2, "'ray' is not one of"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, words: tuple[object, ...], code: int, sentence: str
) -> None:
    """With 1 and a sentence, or 2 and how it is meant."""
    result = ran(*words, "-o", tmp_path)
    assert code == result.exit_code
    assert sentence in result.stderr


def test_more_than_there_is_is_refused(tmp_path: Path) -> None:
    """Neither meters nor days are made up."""
    written(tmp_path, plan())
    for words in (("--meters", 6), ("--days", 4)):
        result = ran("aggregate", *words, "-o", tmp_path)
        assert (1, True) == (result.exit_code, "has 5 meters and 3 days" in result.stderr)


def test_without_dask_it_is_said_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence."""
    monkeypatch.setitem(__import__("sys").modules, "dask", None)
    result = ran("simulate", "--meters", 1, "--days", 1, "--engine", "dask", "-o", tmp_path)
    assert 1 == result.exit_code
    assert "install -e '.[estate]'" in result.stderr
