from __future__ import annotations

import contextlib
import dataclasses
import hmac
import io
import re
from pathlib import Path

import pytest

from elec_meter.access import Level, level_to_change
from elec_meter.config import part_names
from elec_meter.flag import FlagLine, FlagPort, FlagSession, packed
from elec_meter.flag.conversation import BLOCK_LINES, DOCUMENT_LIMIT
from elec_meter.flag.reading import ROWS_LIMIT
from elec_meter.flag.refusals import _NUMBERS, _REFUSED
from elec_meter.ports import StreamLimits
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.flag.programmer import ACK, NOON, SALT, Desktop, known_key, refusal
from tests.elec_meter.objects.fixed_meter import START
from tests.elec_meter.ports.serving import serving

DOCUMENT = (Path(__file__).parents[3] / "docs" / "flag.md").read_text("utf-8")
SEED = bytes(range(16, 32))
CONTROLS = {"SOH": 1, "STX": 2, "ETX": 3, "EOT": 4, "ACK": 6, "LF": 10, "CR": 13}


def fenced(language: str) -> str:
    """The document's block in this language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return found[1]


def transcript(language: str = "transcript") -> list[tuple[str, bytes]]:
    """Who says what, in turn."""
    turns: list[tuple[str, bytes]] = []
    for line in fenced(language).splitlines():
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


def vector_session(desktop: Desktop, line: FlagLine) -> FlagSession:
    """A line whose challenge has the vector's seed."""
    desk = dataclasses.replace(desktop.desk, draw=lambda octets: SEED[:octets])
    return FlagSession(desktop.port._services._replace(desk=desk), line, NOON)


def test_the_session_of_the_supplier_is_what_the_meter_says() -> None:
    """From the challenge, with the vector's seed, to a refusal and its sentence."""
    desktop = Desktop()
    session = vector_session(desktop, FlagLine())
    turns = transcript("programming")
    answers = [session.receive_data(data, NOON) for who, data in turns if who == "reader"]

    assert [data for who, data in turns if who == "meter"] == answers[:-1]
    assert {232, 230} <= {event.code for event in desktop.storage.events()}


def test_the_documented_proof_is_the_vectors() -> None:
    """Ten lines of Python, run as they stand."""
    names: dict[str, object] = {}
    (program,) = re.findall(r"```python\n(import hashlib.*?)```", DOCUMENT, re.DOTALL)
    exec(compile(program, "docs/flag.md", "exec"), names)

    assert 10 >= len(program.splitlines())
    (sent,) = re.findall(r"\(3,([0-9A-F]{64})\)", DOCUMENT)
    assert sent == names["proof"]("supplier", 3, "00000001", SEED, SALT)


def test_the_documented_mac_is_the_vectors() -> None:
    """The program makes the MACs of the two blocks, and the meter takes them."""
    names: dict[str, object] = {"hmac": hmac}
    (program,) = re.findall(r"```python\n(def mac.*?)```", DOCUMENT, re.DOTALL)
    exec(compile(program, "docs/flag.md", "exec"), names)
    desktop = Desktop()
    session = vector_session(desktop, FlagLine(is_exposed=True))
    for who, data in transcript("programming")[:6]:
        assert who == "meter" or session.receive_data(data, NOON)

    client = known_key("supplier", Level.SUPPLIER)
    blocks = [data for who, data in transcript("blocks") if who == "reader"]
    for place, block in enumerate(blocks):
        command, mac, end = re.fullmatch(rb"\x01(.*)\((.*)\)(.).", block, re.DOTALL).groups()
        made = names["mac"](client, 3, "00000001", SEED, place, place, command + end)
        assert mac.decode() == made
        assert ACK == session.receive_data(block, NOON)
    assert 20 == desktop.meter.config.clock.sync_limit_s


def test_what_is_the_factorys_is_documented() -> None:
    """The table names every part that level 3 may not change."""
    (row,) = re.findall(r"everything else but (.*?);", DOCUMENT)
    factorys = [name for name in part_names() if level_to_change(name) is Level.FACTORY]
    assert sorted(factorys) == sorted(re.findall(r"`(\w+)`", row))


def test_after_a_refused_sign_on_only_a_new_one_is_answered() -> None:
    """As documented of ER03; ER04 leaves the session as it is, and tells until when."""
    desktop = Desktop()
    for _ in range(3):
        programmer = desktop.programmer()
        assert "ER03" == refusal(programmer.sign_on(Level.READER, "guess"))
        assert b"" == programmer.command("R1", "ER()")
    programmer = desktop.programmer()
    assert "ER04" == refusal(programmer.sign_on(Level.READER))
    assert "is locked at FLAG TCP until" in programmer.read("ER()")
    assert "except after `ER03`:" in DOCUMENT


def test_every_refusal_is_documented() -> None:
    """The numbers of the table are those that the port has, and no other."""
    numbers = {number for _, number in _NUMBERS} | {_REFUSED}
    assert [f"ER{number:02d}" for number in sorted(numbers)] == re.findall(
        r"^\| `(ER\d\d)` \|", DOCUMENT, re.MULTILINE
    )


def test_the_documented_packing_is_the_codes() -> None:
    """The page and the module say the same of every part."""
    module = {line.split("=")[0].strip() for line in packed_lines(packed.__doc__ or "")}
    assert module | {"varint"} == {line.split("=")[0].strip() for line in packed_lines(DOCUMENT)}


def packed_lines(text: str) -> list[str]:
    """The lines of the grammar of packed rows."""
    (block,) = re.findall(r"^    packed  = .*?\n\n", text, re.MULTILINE | re.DOTALL)
    return [line for line in block.splitlines() if re.match(r"    \w", line)]


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
    for claim in (
        f"blocks of at most {BLOCK_LINES} lines",
        f"at most {ROWS_LIMIT:,} rows",
        f"up to {DOCUMENT_LIMIT:,} characters",
        f"at that speed, {line.timing.switch_ms} ms later",
    ):
        assert claim in DOCUMENT
