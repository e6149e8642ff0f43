from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pulse_unit.cli.main import main
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.oms import open_telegram
from shared.wire.telegram import PulseTelegram, decode_records
from shared.wire.wmbus import unframe
from tests.pulse_unit.command_line import run

KEY = "0F0E0D0C0B0A09080706050403020100"
SEAL = ["telegram", "--serial", "00000001", "--key", KEY, "--counter", "7"]
FIELDS = {
    "count": 120,
    "volume_l": -5,
    "uptime_s": 7200,
    "last_pulse_age_s": 30,
    "battery_left_d": 7000,
    "error_flags": 1,
    "reset_counter": 2,
    "grid_count": 118,
    "grid_age_s": 600,
    "increments": [3, 0, 254],
}


@pytest.mark.parametrize("command", sorted(main.commands))
def test_help_explains_and_shows_an_example(command: str) -> None:
    """Every command explains itself and shows how it is used."""
    result = run(command, "--help")
    assert 0 == result.exit_code
    assert f"\n    pulse-unit {command}" in result.output
    assert f"  {command} " in run("--help").output


@pytest.mark.parametrize("form", ["A", "B", "none"])
def test_telegram_says_what_it_was_told(form: str) -> None:
    """The sealed frame opens with the key and holds every field."""
    result = run(*SEAL, "--format", form, text=json.dumps(FIELDS))
    assert 0 == result.exit_code
    frame = bytes.fromhex(result.output)
    opened = open_telegram(AesBlock, unframe(frame, form), bytes.fromhex(KEY))
    assert ("00000001", 7, 0x20) == (opened.serial, opened.message_counter, opened.status)
    assert PulseTelegram(
        count=120,
        volume_l=-5,
        uptime_s=7200,
        last_pulse_age_s=30,
        battery_left_d=7000,
        error_flags=1,
        reset_counter=2,
        grid_count=118,
        grid_age_s=600,
        increments=(3, 0, 254),
    ) == decode_records(opened.records)


def test_telegram_from_a_file_as_json(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file serves as well as standard input; fields left out or null are not said."""
    path = tmp_path_factory.mktemp("telegram") / "telegram.json"
    said = {"count": 1, "uptime_s": 2, "battery_left_d": 3, "error_flags": 4, "reset_counter": 5}
    path.write_text(json.dumps({**said, "volume_l": None}))
    told = json.loads(run(*SEAL, "--json", str(path)).output)
    assert (7, "A", len(told["frame"]) // 2) == (
        told["message_counter"],
        told["format"],
        told["bytes"],
    )
    assert PulseTelegram(**said) == decode_records(bytes.fromhex(told["records"]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The telegram is no JSON."),
        (b"\xff\xfe\x00", "The telegram is no JSON."),
        ("[" * 100_000, "The telegram is no JSON."),
        ("[]", "The telegram is no JSON object."),
        ('{"count": 1}', "The telegram has no uptime_s."),
        ('{"count": 1.5, "uptime_s": 1}', "The count is no whole number."),
        ('{"count": true, "uptime_s": 1}', "The count is no whole number."),
        ('{"count": 1, "uptime_s": 1, "colour": 3}', "A telegram has no field 'colour'."),
        (json.dumps({**FIELDS, "count": 1 << 32}), "count = 4294967296 is out of its range."),
        (
            '{"count": 1, "uptime_s": 1, "increments": [-1]}',
            "The increments are no list of numbers below 65,535.",
        ),
    ],
)
def test_bad_telegram_is_refused_with_one_sentence(text: str | bytes, sentence: str) -> None:
    """What is no telegram ends with exit code 1 and says why, on the error output."""
    result = run(*SEAL, text=text)
    assert (1, "", f"Error: {sentence}\n") == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("label",),
        ("battery",),
        ("battery", "--json"),
        ("sim", "--speed", "0", "--for", "1h"),
        ("sim", "--speed", "0", "--for", "1h", "--json"),
        (*SEAL, "FILE"),
    ],
    ids=" ".join,
)
def test_an_output_that_is_full_is_one_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Exit code 1, and no trace of the program."""
    said = tmp_path / "said.json"
    said.write_text(json.dumps(FIELDS))
    words = [str(said) if word == "FILE" else word for word in arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pulse_unit", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (1, "Error: Standard output cannot be written: No space left on device.") == (
        done.returncode,
        done.stderr.strip().splitlines()[-1],
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("telegram",),
        ("telegram", "--serial", "00000001", "--key", KEY, "--counter", "4294967296"),
        ("telegram", "--serial", "00000001", "--key", KEY, "--counter", "\u0661"),
        ("telegram", "--serial", "00000001", "--key", KEY, "--counter", "1_0"),
        (*SEAL, "no-such-file.json"),
    ],
)
def test_misuse_ends_with_2(arguments: tuple[str, ...]) -> None:
    """A command that cannot be understood ends with exit code 2."""
    assert 2 == run(*arguments).exit_code


def test_what_every_telegram_tells_is_zero_if_left_out() -> None:
    """A count and an uptime are enough: battery, flags and boot are told as 0."""
    printed = run(*SEAL, "--json", text='{"count": 1, "uptime_s": 2}')
    assert 0 == printed.exit_code
    records = bytes.fromhex(json.loads(printed.stdout)["records"])
    assert PulseTelegram(count=1, uptime_s=2) == decode_records(records)
