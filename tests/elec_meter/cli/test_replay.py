"""`elec-meter replay`: recorded input, exactly."""

from __future__ import annotations

import csv
import json
import sys
import wave
from contextlib import suppress
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from elec_meter import Meter, Storage
from elec_meter.cli.main import main
from elec_meter.cli.replay import _FLAGS
from elec_meter.demo.replay import Recording, replay
from elec_meter.metrology import Flags
from elec_meter.storage import LoadOption, LoadSeries, read_load_series
from tests.elec_meter.cli.commands import refused, shown, succeeding

# Three days of a London home: Low Carbon London, UK Power Networks, CC BY 4.0.
HOME = """LCLid,tstp,energy_kWh
MAC000010,2013-01-01 00:00:00.0000000, 0.509
MAC000010,2013-01-01 00:30:00.0000000, 0.453
MAC000010,2013-01-01 01:00:00.0000000, 0.5
MAC000010,2013-01-01 01:30:00.0000000, 0.621
MAC000010,2013-01-01 02:00:00.0000000, 1.3839
MAC000010,2013-01-01 02:30:00.0000000, 1.3839
"""


@pytest.fixture
def home(tmp_path: Path) -> str:
    """A recorded series, as `--load` names it."""
    path = tmp_path / "homes.csv"
    path.write_text(HOME)
    return f"{path}:LCLid=MAC000010"


def test_a_load_is_booked_to_the_watt_hour(home: str, tmp_path: Path) -> None:
    """Every half-hour has its energy, and what is below a watt-hour waits for the next."""
    data_dir = tmp_path / "data"
    succeeding("replay", "--data", data_dir, "--load", home)
    rows = shown("profile", data_dir, "--date", "2013-01-01")
    assert [509, 453, 500, 621, 1383, 1384] == [row["channels"]["import_wh"] for row in rows]
    registers = {row["obis"]: row["value"] for row in shown("registers", data_dir)}
    assert 4850 == registers["1-0:1.8.0"]
    assert 509 == registers["1-0:1.8.1"]
    assert "balance" in succeeding("audit", "--data", data_dir)


def test_a_replay_goes_on_where_the_last_one_ended(home: str, tmp_path: Path) -> None:
    """Two parts give the register of the whole."""
    data_dir = tmp_path / "data"
    succeeding("replay", "--data", data_dir, "--load", home, "--for", "1h")
    succeeding("replay", "--data", data_dir, "--load", home, "--start", "2013-01-01T01:00:00Z")
    registers = {row["obis"]: row["value"] for row in shown("registers", data_dir)}
    assert 4850 == registers["1-0:1.8.0"]
    assert "2013-01-01" in refused("replay", "--data", data_dir, "--load", home)


@pytest.mark.parametrize("killed_after", range(1, 7))
def test_an_interrupted_replay_loses_nothing(
    killed_after: int, home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is durable when it is interrupted, going on from there gives the whole."""
    series = read_load_series(*LoadOption.parse(home))
    booked = count()

    def receive(meter: Meter, *words: Any) -> None:
        if next(booked) == killed_after:
            raise KeyboardInterrupt
        original(meter, *words)

    original = Meter.receive_energy
    monkeypatch.setattr(Meter, "receive_energy", receive)
    with suppress(KeyboardInterrupt):
        replay(tmp_path / "data", Recording(load=series), None)
    monkeypatch.undo()
    with Storage.open(tmp_path / "data", read_only=True) as storage:
        durable_s = storage.load().durable_s or series.start_s
    done = (durable_s - series.start_s) // 1800
    rest = LoadSeries(durable_s, series.energies_wh[done:])
    ledger = replay(tmp_path / "data", Recording(load=rest), None).ledger
    rows = ledger.rows(series.start_s, series.end_s)
    assert [509, 453, 500, 621, 1383, 1384] == [row.deltas["import_wh"] for row in rows]


def test_a_load_starts_at_a_half_hour(home: str, tmp_path: Path) -> None:
    """A start inside a half-hour of the load is refused: it could be booked only in part."""
    words = ("--load", home, "--start", "2013-01-01T00:13:00Z")
    assert "whole half-hours" in refused("replay", "--data", tmp_path / "data", *words)
    assert not (tmp_path / "data").exists()


def test_pulses_pass_through_the_unit(tmp_path: Path) -> None:
    """Recorded closings are counted by the firmware and come out in their half-hours."""
    pulses = tmp_path / "pulses.txt"
    times = [f"2026-01-05T{hour:02}:{minute:02}:30Z\n" for hour in (6, 7) for minute in range(60)]
    pulses.write_text("# boiler\n" + "".join(times))
    data_dir = tmp_path / "data"
    printed = succeeding("replay", "--data", data_dir, "--pulses", pulses)
    assert "gas: 120 pulses, 0 of them" in printed
    rows = shown("profile", data_dir, "--date", "2026-01-05")
    counts = {row["start"]: row["channels"]["gas_pulses"] for row in rows}
    assert [30, 30, 30, 30] == [counts[f"2026-01-05T{h}Z"] for h in HALF_HOURS]


HALF_HOURS = ("06:00:00", "06:30:00", "07:00:00", "07:30:00")


def test_telegrams_enter_at_ingest(tmp_path: Path) -> None:
    """Telegrams made elsewhere are read; noise among them and repetitions change nothing."""
    key, lines = "0F0E0D0C0B0A09080706050403020100", []
    for counter, told in enumerate((100, 104, 107), 1):
        spoken = {
            "count": told,
            "uptime_s": 900 * counter,
            "battery_left_d": 9,
            "reset_counter": 1,
        }
        path = tmp_path / "telegram.json"
        path.write_text(json.dumps(spoken))
        lines.append(f"2026-01-05T06:{15 * counter - 10:02}:00Z {_frame(path, key, counter)}")
    telegrams = tmp_path / "telegrams.txt"
    telegrams.write_text("\n".join([*lines, "2026-01-05T06:50:00Z DEADBEEF", lines[-1]]) + "\n")
    data_dir = tmp_path / "data"
    assert "gas: 7 pulses" in succeeding("replay", "--data", data_dir, "--telegrams", telegrams)
    unit = shown("units", data_dir)[0]
    assert ("00000001", 7, 9) == (unit["serial"], unit["pulses"], unit["battery_left_d"])


def _frame(path: Path, key: str, counter: int) -> str:
    from pulse_unit.cli.main import main

    words = ["--serial", "00000001", "--key", key, "--counter", str(counter)]
    done = CliRunner().invoke(main, ["telegram", *words, str(path)])
    assert 0 == done.exit_code, done.output
    return done.output.strip()


def test_a_waveform_enters_at_sampling(tmp_path: Path) -> None:
    """Ten minutes of 230 V and 10 A at unity are 383 Wh, whole ones."""
    rate_hz, seconds = 4000, 600
    angle = 2 * np.pi * 50 * np.arange(rate_hz * seconds) / rate_hz
    path = tmp_path / "mains.npz"
    np.savez(
        path,
        voltage=np.sqrt(2) * 230 * np.sin(angle),
        current=np.sqrt(2) * 10 * np.sin(angle),
        rate_hz=rate_hz,
    )
    data_dir = tmp_path / "data"
    words = ("--waveform", path, "--start", "2026-01-05T06:00:00Z")
    succeeding("replay", "--data", data_dir, *words)
    registers = {row["obis"]: row["value"] for row in shown("registers", data_dir)}
    assert 383 == registers["1-0:1.8.0"]


@pytest.mark.parametrize(
    ("cycle_samples", "current_a", "flag"),
    [(80, 10, None), (160, 10, "unlocked"), (80, 200, "saturated")],
)
def test_what_a_waveform_was_not_measured_of(
    cycle_samples: int, current_a: float, flag: str | None, tmp_path: Path
) -> None:
    """A file that is labelled with twice its rate, or is at a converter's limit, is told."""
    path = tmp_path / "mains.npz"
    wave = np.sin(2 * np.pi * np.arange(16_000) / cycle_samples)
    current = np.clip(np.rint(current_a * wave / 150 * 32768), -32768, 32767)
    counts = np.rint(wave * 25_000).astype(np.int16), current.astype(np.int16)
    np.savez(path, voltage=counts[0], current=counts[1], rate_hz=4000)
    words = ["replay", "--waveform", str(path), "--data"]
    told = CliRunner().invoke(main, [*words, str(tmp_path / "json"), "--json"])
    assert ([flag] if flag else []) == json.loads(told.stdout)["flags"]
    text = CliRunner().invoke(main, [*words, str(tmp_path / "text")]).stdout
    said = [line for line in text.splitlines() if line.startswith("flag: ")]
    assert [True] * bool(flag) == [line.startswith(f"flag: {flag}: ") for line in said]


@pytest.fixture(scope="module")
def same_counts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Ten seconds of 230 V and 100 A as counts of 16 bits, as `replay` is told of each file."""
    folder = tmp_path_factory.mktemp("waves")
    cycle = np.sin(2 * np.pi * np.arange(40) / 40) * np.sqrt(2) * 32768
    pairs = np.tile(np.rint(np.stack([cycle * 230 / 400, cycle * 100 / 150], axis=1)), (500, 1))
    counts = pairs.astype("<i2")
    np.savez(folder / "mains.npz", voltage=counts[:, 0], current=counts[:, 1], rate_hz=2000)
    with wave.open(str(folder / "mains.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(2000)
        file.writeframes(counts.tobytes())
    lines = "".join(f"{voltage},{current}\n" for voltage, current in counts)
    (folder / "mains.csv").write_text("voltage,current\n" + lines)
    told = {"npz": [], "wav": [], "csv": ["--rate", "2000", "--bits", "16"]}
    return {kind: [str(folder / f"mains.{kind}"), *words] for kind, words in told.items()}


def test_the_same_counts_in_any_file(same_counts: dict[str, list[str]], tmp_path: Path) -> None:
    """As npz, wav and csv they give the same registers, once the csv's width is told."""
    booked = {}
    for kind, words in same_counts.items():
        done = CliRunner().invoke(
            main, ["replay", "--json", "--data", str(tmp_path / kind), "--waveform", *words]
        )
        booked[kind] = json.loads(done.stdout)
    assert 63 == booked["npz"]["import_wh"]
    assert [] == booked["npz"]["flags"]
    assert booked["npz"] == booked["wav"] == booked["csv"]


def test_a_csv_is_of_24_bits_unless_told(same_counts: dict[str, list[str]], tmp_path: Path) -> None:
    """Counts of 16 bits are then no mains voltage, and the flag's sentence says what may be."""
    words = same_counts["csv"][:-2]
    done = CliRunner().invoke(main, ["replay", "--data", str(tmp_path), "--waveform", *words])
    assert "import: 0 Wh" in done.stdout
    assert "flag: no signal: " in done.stdout
    assert "--bits" in done.stdout


def test_a_count_beyond_the_width(same_counts: dict[str, list[str]], tmp_path: Path) -> None:
    """It is refused in a sentence before there is a directory."""
    path = tmp_path / "wide.csv"
    path.write_text(Path(same_counts["csv"][0]).read_text() + "32768,0\n")
    words = [str(path), *same_counts["csv"][1:]]
    done = CliRunner().invoke(
        main, ["replay", "--data", str(tmp_path / "data"), "--waveform", *words]
    )
    assert 1 == done.exit_code
    assert "Error: wide.csv has a voltage beyond the converter's 16 bits.\n" == done.stderr
    assert not (tmp_path / "data").exists()


def test_the_flags_all_have_a_sentence() -> None:
    """Every flag of a measurement can be told."""
    assert {(flag.name or "").lower() for flag in Flags} == set(_FLAGS)


def test_kernels_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be measured, the data directory is left alone."""
    path = tmp_path / "mains.npz"
    wave = np.sin(2 * np.pi * np.arange(8000) / 80)
    np.savez(path, voltage=300 * wave, current=10 * wave, rate_hz=4000)
    monkeypatch.setitem(sys.modules, "elec_meter.metrology.pipeline", None)
    words = ["replay", "--data", str(tmp_path / "data"), "--waveform", str(path)]
    assert isinstance(CliRunner().invoke(main, words).exception, ImportError)
    assert not (tmp_path / "data").exists()


def test_show_speaks_csv(home: str, tmp_path: Path) -> None:
    """`--csv` has the profile's columns and rows."""
    data_dir = tmp_path / "data"
    succeeding("replay", "--data", data_dir, "--load", home)
    words = ("--data", data_dir, "--date", "2013-01-01", "--csv")
    rows = list(csv.DictReader(succeeding("show", "profile", *words).splitlines()))
    assert 6 == len(rows)
    assert "509" == rows[0]["import_wh"]
    assert 1 == Decimal(rows[0]["settlement_period"])
