from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.cli.main import main
from elec_meter.config import (
    MeterConfig,
    apply_change,
    config_from_json,
    config_from_toml,
    config_to_toml,
    demo_config,
)

NOW = datetime(2026, 4, 1, tzinfo=UTC)
SHORT_LIST = """
[tariff.import]
rates = 2
switches = [{at = "00:30", rate = 2}, {at = "07:30", rate = 1}]
[display]
scroll = [{object = "1.8.0", unit = "kWh", format = "000000.0"}]
"""

FEWER_RATES_LATER = """
[tariff.import]
rates = 2
[flag]
readout = ["1-0:1.8.2"]
[passive]
activate = 2030-01-01T00:00:00Z
tariff = {}
"""


def run(*words: object, code: int = 0) -> str:
    """What `elec-meter config` prints, or the one sentence of a refusal."""
    result = CliRunner().invoke(main, ["config", *map(str, words)], catch_exceptions=False)
    assert code == result.exit_code, result.output
    if code:
        assert "" == result.stdout
        return result.stderr
    return result.stdout


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with the demo's document, the serial number changed."""
    path = tmp_path / "meter.toml"
    path.write_text(config_to_toml(replace(demo_config(), serial="00000002")))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory of the demo's meter."""
    with Storage.open(tmp_path / "home") as storage:
        Meter(demo_config(), storage, NOW).checkpoint()
    return tmp_path / "home"


def test_a_good_document_is_one_line(file: Path) -> None:
    """It says what kind of meter that is."""
    assert (
        f"{file}: meter 00000002 with 2 import rates, 1 export rate, 1 gas unit,"
        " 0 data channels, 8 screens.\n"
    ) == run("check", file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("serial = 5", "serial: expected a text"),
        (SHORT_LIST, "display.scroll: the billing register 1-0:1.8.1 is on no screen"),
        (
            SHORT_LIST.replace("rates = 2", "rates = 1").replace("rate = 2", "rate = 1"),
            "the billing register 1-0:2.8.0",
        ),
        ('[flag]\nreadout = ["1-0:99.1.0"]', "the FLAG readout cannot show 1-0:99.1.0"),
        ('[flag]\nreadout = ["1-0:1.8.9"]', "the meter has no object 1-0:1.8.9"),
        (
            "[host.mains]\nsynthetic_w = 1\n[host.flag]\nlisten = '127.0.0.1:99999'\n",
            "host.flag: '127.0.0.1:99999' asks for port 99999; ports end at 65535",
        ),
        (
            "[host.mains]\nsynthetic_w = 1\n[host.panel]\nlisten = '8062'\n",
            "host.panel: '8062' is no address; write HOST:PORT",
        ),
        (
            "[host.mains]\nsynthetic_w = 1\n[host.dlms]\nlisten = 'x:70000'\n",
            "host.dlms: 'x:70000' asks for port 70000; ports end at 65535",
        ),
        (FEWER_RATES_LATER, "once the passive tariff is active, "),
    ],
)
def test_a_bad_document_is_one_sentence(text: str, reason: str, tmp_path: Path) -> None:
    """From the schema, the billing registers or the directory: file, path and reason, exit 1."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    sentence = run("check", path, code=1)
    assert sentence.startswith(f"Error: {path}: ")
    assert reason in sentence
    assert 1 == len(sentence.splitlines())


def test_a_file_may_begin_with_a_byte_order_mark(file: Path) -> None:
    """Some editors write one."""
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert f"{file}: meter " in run("check", file)


def test_a_screen_that_the_meter_cannot_show_is_found(file: Path) -> None:
    """A list that is complete, and names one object too many."""
    config = config_from_toml(file.read_text())
    extra = replace(config.display.scroll[0], object="1-0:1.8.3")
    scroll = (*config.display.scroll, extra)
    file.write_text(config_to_toml(replace(config, display=replace(config.display, scroll=scroll))))
    assert "the display cannot show 1-0:1.8.3" in run("check", file, code=1)


def test_a_document_is_shown_as_it_can_be_read(file: Path, home: Path) -> None:
    """TOML or JSON, of a file or a data directory, with or without defaults."""
    assert demo_config() == config_from_toml(run("show", "--data", home))
    assert file.read_text() == run("show", file)
    assert "checkpoint_s = 10" in run("show", file, "--all")
    as_json = run("show", "--data", home, "--json")
    assert demo_config() == config_from_json(as_json)
    assert "checkpoint_s" not in json.loads(as_json)
    assert "checkpoint_s" in json.loads(run("show", "--data", home, "--json", "--all"))


def test_documents_are_compared(file: Path, home: Path) -> None:
    """A line a difference and the size of the change; the stored document is the old one."""
    expected = 'serial: "00000001" -> "00000002"\nThe change has 6 bytes.\n'
    assert expected == run("diff", "demo", file)
    assert expected == run("diff", "--data", home, file)
    assert "The documents are equal.\n" == run("diff", "demo", "demo")
    assert "gas_units[00000001]: added" in run("diff", "default", "demo")


def test_a_change_is_printed_whole(file: Path) -> None:
    """Its bytes in hexadecimal make the new document of the old one."""
    printed: dict[str, Any] = json.loads(run("diff", "default", file, "--json"))
    change = bytes.fromhex(printed["change"])
    assert len(change) == printed["change_bytes"]
    assert config_from_toml(file.read_text()) == apply_change(MeterConfig(), change)
    assert {"path": "serial", "kind": "changed", "old": "00000001", "new": "00000002"} == printed[
        "differences"
    ][0]


def test_the_schema_is_json() -> None:
    """Every table of the document is in it."""
    assert "CalendarConfig" in json.loads(run("schema"))["$defs"]


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("show",),
        ("show", "a.toml", "--data", "home"),
        ("diff", "a.toml"),
        ("diff", "a.toml", "b.toml", "--data", "home"),
        ("brew",),
    ],
)
def test_misuse(words: tuple[str, ...]) -> None:
    """Words that make no sense exit with 2 and say how it is meant."""
    assert "Usage:" in run(*words, code=2)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """No file, no data: a sentence, and nothing appears."""
    assert "cannot be read" in run("show", tmp_path / "none.toml", code=1)
    run("show", "--data", tmp_path / "nowhere", code=1)
    assert [] == list(tmp_path.iterdir())
