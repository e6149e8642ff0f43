from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from elec_meter.flag import FlagLine, FlagPort, FlagSession
from elec_meter.ports import StreamLimits
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.objects.fixed_meter import START
from tests.elec_meter.ports.serving import serving

DOCUMENT = (Path(__file__).parents[3] / "docs" / "flag.md").read_text("utf-8")
CONTROLS = {"SOH": 1, "STX": 2, "ETX": 3, "ACK": 6, "LF": 10, "CR": 13}


def fenced(language: str) -> str:
    """The document's block in this language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return found[1]


def transcript() -> list[tuple[str, bytes]]:
    """Who says what, in turn."""
    turns: list[tuple[str, bytes]] = []
    for line in fenced("transcript").splitlines():
        who, said = line[:8].strip(), line[8:]
        data = re.sub(
            r"<(?:BCC ([0-9A-F]{2})|([A-Z]+))>",
            lambda token: chr(int(token[1], 16) if token[1] else CONTROLS[token[2]]),
            said,
        ).encode("ascii")
        if who:
            turns.append((who, data))
        else:
            turns[-1] = (turns[-1][0], turns[-1][1] + data)
    return turns


@pytest.fixture
def port() -> FlagPort:
    """The demo's meter, with the registers of the transcript."""
    meter = busy_meter()
    return FlagPort(
        meter.config.flag, meter.directory, serial=meter.config.serial, durable=lambda: None
    )


def test_the_transcript_is_what_the_meter_says(port: FlagPort) -> None:
    """Fed with the reader's bytes, the meter sends those of the document."""
    session: FlagSession = port.session(START)
    answers = [session.receive_data(data, START) for who, data in transcript() if who == "reader"]

    assert [data for who, data in transcript() if who == "meter"] == answers[:-1]
    assert b"" == answers[-1]


def test_the_documented_client_prints_the_readout(port: FlagPort) -> None:
    """The document's program, run as it stands but for the address."""
    printed = io.StringIO()
    with serving(port.session) as address, contextlib.redirect_stdout(printed):
        program = fenced("python").replace('("127.0.0.1", 8063)', repr(address))
        exec(compile(program, "docs/flag.md", "exec"), {})

    lines = printed.getvalue().splitlines()
    assert ["F.F 0 ", "0.0.0 00000001 "] == lines[:2]
    assert "1.8.0 000123.463 kWh" in lines
    assert 11 == len(lines)


def test_the_documented_limits_are_the_real_ones() -> None:
    """Numbers in the document come from the code."""
    line, limits = FlagLine(), StreamLimits()

    for claim in (
        f"nothing for {line.timing.option_ms // 1000} s after the identification",
        f"half a message and {line.timing.character_ms / 1000:g} s of silence",
        f"nothing sensible for {line.timing.inactivity_ms // 1000} s",
        f"At most {limits.connections:,} connections",
        f"more than {limits.write_bytes // 1024} KiB unread for {limits.stall_s:g} s",
    ):
        assert claim in DOCUMENT
    assert 3 == line.repeats
