from __future__ import annotations

import json
import math
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial
from click.testing import CliRunner, Result

from elec_meter.cli.main import main
from elec_meter.config import CalibrationConfig, config_from_toml
from elec_meter.errors import ConfigError
from elec_meter.sampling import Converter, SampleBlock, SampleFrame
from elec_meter.storage import Storage
from tests.elec_meter.cli.commands import fingerprint, shown, succeeding
from tests.elec_meter.metrology.waves import Wave, sampled
from tests.elec_meter.sampling.front_end import FrontEnd, said

LAG_RAD = 0.010
LOAD = Wave(current_a=10.0, lag_rad=math.acos(0.5), seconds=4)
READ = ("--voltage", "230", "--current", "10", "--power", "1150")
REACTIVE = ("--reactive", "1991.858")


def block(wave: Wave) -> SampleBlock:
    """Counts of a front end whose gains are 2 % low and 3 % high, and whose current lags."""
    late = replace(wave, lag_rad=wave.lag_rad + LAG_RAD)
    return sampled(wave.volts() * 0.98, late.amperes() * 1.03, wave)


def write(path: Path, wave: Wave) -> Path:
    """A recording of it."""
    made = block(wave)
    np.savez(path, voltage=made.voltage, current=made.current, rate_hz=4000)
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Of the load."""
    return write(tmp_path / "load.npz", LOAD)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a minute of the demo."""
    data_dir = tmp_path_factory.mktemp("used")
    start = ("--start", "2026-01-01T00:00:00Z")
    succeeding("demo", "--speed", 0, *start, "--for", "1m", "--data", data_dir)
    return data_dir


@pytest.fixture
def home(used: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(used, tmp_path / "home"))


def run(*words: object) -> Result:
    """Run `elec-meter calibrate` in this process."""
    return CliRunner().invoke(main, ["calibrate", *map(str, words)])


def derived(*words: object) -> dict[str, Any]:
    """What it prints as JSON."""
    done = run(*words, "--json")
    assert (0, "") == (done.exit_code, done.stderr)
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


def refused(*words: object) -> str:
    """The one sentence of a refusal."""
    done = run(*words)
    assert (1, "") == (done.exit_code, done.stdout)
    assert 1 == len(done.stderr.strip().splitlines())
    return done.stderr


def assert_right(calibration: dict[str, int], phase_urad: int = round(LAG_RAD * 1e6)) -> None:
    """It is what the front end is wrong by."""
    nominal = Converter()
    assert 16 == calibration["bits"]
    assert float(nominal.voltage_mv_per_count) / 0.98 * 1e9 == pytest.approx(
        calibration["voltage_pv_per_count"], rel=1e-4
    )
    assert float(nominal.current_ma_per_count) / 1.03 * 1e9 == pytest.approx(
        calibration["current_pa_per_count"], rel=2e-4
    )
    assert phase_urad == pytest.approx(calibration["phase_urad"], abs=40)


def test_json(recording: Path) -> None:
    """All six integers, how many cycles they are from, and whether the phase is among them."""
    told = derived(recording, *READ, *REACTIVE)
    assert_right(told["calibration"])
    assert {"calibration", "cycles", "phase_derived", "configuration"} == set(told)
    assert (True, None) == (told["phase_derived"], told["configuration"])
    assert 195 < told["cycles"] <= 200


def test_the_text_is_a_document(recording: Path) -> None:
    """What is printed is a part of the configuration document."""
    printed = run(recording, *READ, *REACTIVE).stdout
    assert_right(tomllib.loads(printed)["calibration"])
    assert config_from_toml(printed).calibration is not None


def test_unity(tmp_path: Path) -> None:
    """A load at a power factor of 1 tells no phase, and the text says what would."""
    unity = write(tmp_path / "unity.npz", Wave(current_a=10.0, seconds=4))
    read = ("--voltage", "230", "--current", "10", "--power", "2300")
    assert_right(derived(unity, *read)["calibration"], phase_urad=0)
    assert "--reactive" in run(unity, *read).stdout


def test_leading(tmp_path: Path) -> None:
    """Without a reading of reactive power, the current is taken to lag unless it leads."""
    leading = write(tmp_path / "lead.npz", Wave(current_a=10.0, lag_rad=-math.acos(0.5), seconds=4))
    words = (*READ, "--leading")
    assert_right(derived(leading, *words, "--phase-limit", 12_000)["calibration"])
    assert "leading" in refused(leading, *READ)
    assert "5 mrad" in refused(leading, *words)


def test_no_load(recording: Path, tmp_path: Path) -> None:
    """A recording without load gives the offsets of power; here there are none to speak of."""
    none = write(tmp_path / "none.npz", Wave(current_a=0.0, seconds=20))
    told = derived(recording, *READ, *REACTIVE, "--no-load", none)["calibration"]
    assert abs(told["power_offset_uw"]) < 10_000
    assert "something is connected" in refused(recording, *READ, *REACTIVE, "--no-load", recording)


def test_other_files(tmp_path: Path) -> None:
    """A csv needs its rate and the width of its counts."""
    made = block(LOAD)
    lines = [f"{v},{i}" for v, i in zip(made.voltage.tolist(), made.current.tolist(), strict=True)]
    path = tmp_path / "load.csv"
    path.write_text("\n".join(["voltage,current", *lines]))
    told = derived(path, "--rate", 4000, "--bits", 16, *READ, *REACTIVE)
    assert_right(told["calibration"])
    assert "sample rate" in refused(path, *READ)
    assert "by converters of 24 bits" in refused(path, "--rate", 4000, *READ, *REACTIVE)


def test_a_serial_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same from frames, of which no more are taken than was asked for."""
    made = block(LOAD)
    frames = [
        SampleFrame(k % 256, 4000, 160 * k, made.voltage[a : a + 160], made.current[a : a + 160])
        for k, a in enumerate(range(0, 8_640, 160))
    ]
    with FrontEnd() as front_end:
        real = serial.serial_for_url

        def opened(*words: Any, **options: Any) -> Any:
            port = real(*words, **options)
            front_end.heard.set()
            return port

        monkeypatch.setattr(serial, "serial_for_url", opened)
        front_end.say(b"".join(said(frames)))
        told = derived("--serial", front_end.port, "--for", "2s", *READ, *REACTIVE)
    assert_right(told["calibration"])
    assert 95 <= told["cycles"] <= 100


def test_into_a_meter(recording: Path, home: Path) -> None:
    """With the link fitted it is a new configuration, in the log, and measures from then on."""
    told = derived(recording, *READ, *REACTIVE, "--data", home, "--link-fitted")
    assert 2 == told["configuration"]
    with Storage.open(home) as storage:
        config = storage.load_config()
    assert config is not None
    assert config.calibration == CalibrationConfig(**told["calibration"])
    texts = [event["text"] for event in shown("events", home)]
    assert any("by a calibration for the next start: calibration" in text for text in texts)
    before = {row["obis"]: row["value"] for row in shown("registers", home)}
    succeeding("replay", "--data", home, "--waveform", recording)
    after = {row["obis"]: row["value"] for row in shown("registers", home)}
    joules = 3600 * (after["1-0:1.8.0"] - before["1-0:1.8.0"])
    assert 1150 * 4 == pytest.approx(joules, abs=3600)
    succeeding("audit", "--data", home)


TENFOLD = ("--voltage", "230", "--current", "100", "--power", "11500", "--reactive", "19918.58")
HALVED = ("--voltage", "115", "--current", "10", "--power", "575", "--reactive", "995.929")


@pytest.mark.parametrize(("read", "word"), [(TENFOLD, "current"), (HALVED, "voltage")])
def test_gains_of_another_front_end(
    read: tuple[str, ...], word: str, recording: Path, home: Path
) -> None:
    """A meter keeps gains within a tenth of those it has, unless its front end is another."""
    before = fingerprint(home)
    into = ("--data", home, "--link-fitted")
    assert f"gain of the {word} channel is" in refused(recording, *read, *into)
    assert before == fingerprint(home)
    told = run(recording, *read, "--json")
    assert 0 == told.exit_code
    assert f"gain of the {word} channel is" in told.stderr
    assert "" == run(recording, *read, "--json", "--new-front-end").stderr
    assert 2 == derived(recording, *read, *into, "--new-front-end")["configuration"]
    assert "gain of the" in refused(recording, *READ, *REACTIVE, *into), "as it is now"


def test_without_the_link(recording: Path, home: Path, tmp_path: Path) -> None:
    """No calibration is written without the calibration link, nor where no meter is."""
    before = fingerprint(home)
    assert "link" in refused(recording, *READ, *REACTIVE, "--data", home)
    assert before == fingerprint(home)
    nowhere = tmp_path / "nowhere"
    words = (recording, *READ, *REACTIVE, "--data", nowhere, "--link-fitted")
    assert "no meter" in refused(*words)
    assert not nowhere.exists()


def test_a_meter_that_runs(recording: Path, home: Path) -> None:
    """A directory that is in use is left alone."""
    with Storage.open(home):
        words = (recording, *READ, *REACTIVE, "--data", home, "--link-fitted")
        assert "in use" in refused(*words) or "process" in refused(*words)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("--voltage", "23", "--current", "10", "--power", "115", "--reactive", "199.186"),
            "reaches to",
        ),
        (("--voltage", "230", "--current", "10", "--power", "3000"), "more than its voltage"),
        (("--voltage", "230", "--current", "10", "--power", "-1150"), "degrees apart"),
        (("--voltage", "230", "--current", "12", "--power", "1380", "--reactive", "100"), "apart"),
    ],
)
def test_implausible(recording: Path, words: tuple[str, ...], reason: str) -> None:
    """What cannot be is refused in one sentence."""
    assert reason in refused(recording, *words)


def test_recordings_that_do_not_do(tmp_path: Path) -> None:
    """Volts and amperes, a short one, DC, one channel, and a front end that is not there."""
    made = block(LOAD)
    volts = tmp_path / "volts.npz"
    np.savez(volts, voltage=made.voltage / 100.0, current=made.current / 500.0, rate_hz=4000)
    assert "volts and amperes" in refused(volts, *READ)
    short = tmp_path / "short.npz"
    np.savez(short, voltage=made.voltage[:1000], current=made.current[:1000], rate_hz=4000)
    assert "whole cycles" in refused(short, *READ)
    steady = tmp_path / "dc.npz"
    np.savez(
        steady, voltage=np.full(8000, 9000, np.int16), current=made.current[:8000], rate_hz=4000
    )
    assert "does not alternate" in refused(steady, *READ)
    assert "plugged in" in refused("--serial", tmp_path / "ttyUSB0", *READ)


@pytest.mark.parametrize(
    "words",
    [
        READ,
        ("a.npz", "--serial", "b", *READ),
        ("a.npz", "--voltage", "230"),
        ("a.npz", "--voltage", "nan", "--current", "1", "--power", "1"),
        ("a.npz", "--voltage", "1e99", "--current", "1", "--power", "1"),
        ("a.npz", "--voltage", "two", "--current", "1", "--power", "1"),
    ],
)
def test_misuse(words: tuple[str, ...]) -> None:
    """Words that make no sense exit with 2."""
    done = run(*words)
    assert 2 == done.exit_code
    assert "Usage:" in done.stderr


def test_a_document_with_an_absurd_calibration() -> None:
    """A calibration in a document is held to what a meter's front end can be."""
    with pytest.raises(ConfigError, match="reaches to"):
        config_from_toml(
            "[calibration]\nbits = 16\nvoltage_pv_per_count = 1\ncurrent_pa_per_count = 4577636719"
        )
