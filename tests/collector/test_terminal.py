from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from collector.storage.directory import DataDirectory
from collector.storage.pairings import Pairings
from tests.collector.bench import LABEL, MPRN, recorded
from tests.collector.frames import KEY, SERIAL, at
from tests.collector.test_pairing_meters import METER as METER_OF_ANOTHER
from tests.collector.test_pairing_meters import plain

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory to be."""
    return tmp_path / "home"


@pytest.fixture
def terminal(home: Path, call: Path) -> Iterator[pexpect.spawn]:
    """`collector pair` in a terminal."""
    words = ["-m", "collector", "pair", "--data", str(home), "--replay", str(call)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    child = pexpect.spawn(
        sys.executable, words, cwd=ROOT, env=environment, encoding="utf-8", timeout=60
    )
    child.setwinsize(40, 120)
    yield child
    child.close(force=True)


def answer(child: pexpect.spawn, question: str, text: str) -> None:
    """Wait for a question and type the answer."""
    child.expect_exact(question)
    child.sendline(text)


METER = (
    ("MPRN (on the gas bill)", MPRN),
    ("MPRN once more", MPRN),
    ("Serial on the meter's badge", "G4A123"),
    ("One pulse is (on the badge)", ""),
    ("The dial counts", ""),
    ("The dial shows", "01234.567"),
)


def test_an_installer_pairs_a_unit(terminal: pexpect.spawn, home: Path) -> None:
    """Label, live signal, meter, test burn, confirmation, certificate; each mistake is said."""
    answer(terminal, "Scan the label", LABEL.qr_text.replace("908172", "908171"))
    terminal.expect_exact("That is refused: the passkey and its check character disagree")
    answer(terminal, "Scan the label", LABEL.qr_text)
    terminal.expect_exact("Press the unit's button")
    terminal.expect("frames are the unit's")  # live
    answer(terminal, "MPRN (on the gas bill)", "3938424404")
    terminal.expect_exact("a digit is wrong, its check digits disagree")
    answer(terminal, "MPRN (on the gas bill)", MPRN)
    answer(terminal, "MPRN once more", "1000005")
    terminal.expect_exact("The two MPRNs differ: type it again.")
    for question, text in METER:
        answer(terminal, question, text)
    terminal.expect("pulse [0-2] of 3")
    terminal.expect_exact("Does the dial show 1234.597 m3, or up to one pulse more?")
    terminal.sendline("y")
    answer(terminal, "Installer", "Ada")
    terminal.expect("Index +1234.567 m3 at count 5")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert 0 == terminal.exitstatus
    with DataDirectory.read(home) as directory:
        (document,) = Pairings(directory.connection).certificates()
    assert ("Ada", SERIAL) == (document["installer"], document["unit"]["serial"])
    assert {SERIAL: KEY.hex()} == json.loads((home / "keys.json").read_text())


def test_no_key_is_seen_in_a_terminal(terminal: pexpect.spawn, home: Path) -> None:
    """Neither scanned nor typed; the serial that was read is shown."""
    seen: list[str] = []
    answer(terminal, "Scan the label", LABEL.qr_text.replace("908172", "908171"))
    terminal.expect_exact("That is refused")
    seen.append(terminal.before)
    _, serial, key, _ = re.split(":", LABEL.qr_text)
    answer(terminal, "Scan the label", f"{serial[:-2]}9{serial[-1]}")
    terminal.expect_exact("The serial and its check character disagree: read it again.")
    answer(terminal, "Scan the label", serial)
    seen.append(terminal.before)
    answer(terminal, "Key, with its check character", key)
    seen.append(terminal.before)
    terminal.expect_exact(f"The unit is {SERIAL}.")
    seen.append(terminal.before)
    terminal.expect_exact("MPRN (on the gas bill)")
    seen.append(terminal.before)
    shown = "".join(seen).upper()
    assert KEY.hex().upper() not in shown
    assert LABEL.passkey not in shown


def test_a_meter_of_another_maker_is_paired(home: Path, tmp_path: Path) -> None:
    """No label, no button and no key are asked for."""
    call = tmp_path / "call.txt"
    lines = [f"{at(5 * n).isoformat()} {plain(5000 + n // 4, n).hex()}\n" for n in range(200)]
    call.write_text("".join(lines))
    words = ["-m", "collector", "pair", "--data", str(home), "--replay", str(call)]
    words += ["--manufacturer", "ELS", "--allow-unauthenticated"]
    child = pexpect.spawn(sys.executable, words, cwd=ROOT, encoding="utf-8", timeout=60)
    child.setwinsize(40, 120)
    answer(child, "Serial of the meter, 8 digits", METER_OF_ANOTHER)
    answer(child, "Key, empty if it has none (not shown)", "")
    child.expect_exact(f"The unit is {METER_OF_ANOTHER}.")
    for question, text in METER[:3]:
        answer(child, question, text)
    answer(child, "One pulse is (on the badge)", "1 l")
    for question, text in (("The dial counts", ""), ("The dial shows", "5.000")):
        answer(child, question, text)
    answer(child, "Does the dial show", "y")
    answer(child, "Installer", "")
    child.expect_exact("its telegrams prove nothing")
    child.expect(pexpect.EOF)
    child.close()
    assert 0 == child.exitstatus
    assert not (home / "keys.json").exists()


def test_a_dial_that_does_not_agree_is_read_again(terminal: pexpect.spawn, home: Path) -> None:
    """The meter's other particulars stay as they were typed."""
    answer(terminal, "Scan the label", LABEL.qr_text)
    for question, text in METER:
        answer(terminal, question, text)
    answer(terminal, "Does the dial show", "n")
    answer(terminal, "The dial shows", "01234.597")
    terminal.expect("pulse 0 of 3")
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    assert not (home / "keys.json").exists()


QUESTIONS = (
    ("Scan the label", LABEL.qr_text),
    *METER,
    ("Does the dial show", "y"),
    ("Installer", ""),
)


@pytest.mark.parametrize("at", range(len(QUESTIONS)), ids=lambda at: QUESTIONS[at][0][:14])
def test_ctrl_c_at_any_question_leaves_nothing(
    terminal: pexpect.spawn, home: Path, at: int
) -> None:
    """No unit, no key, no certificate, and no traceback."""
    for question, text in QUESTIONS[:at]:
        answer(terminal, question, text)
    terminal.expect_exact(QUESTIONS[at][0])
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    assert "Aborted!" in terminal.before
    assert "Traceback" not in terminal.before
    terminal.close()
    assert 1 == terminal.exitstatus
    assert not (home / "keys.json").exists()
    with DataDirectory.read(home) as directory:
        assert [] == list(Pairings(directory.connection).segments())
        assert [] == Pairings(directory.connection).certificates()


def test_a_silent_unit(home: Path, tmp_path: Path) -> None:
    """After 90 s the tool says what to try, and offers to try again."""
    quiet = tmp_path / "quiet.txt"
    recorded(quiet, lambda bench: bench.step(lambda *_: None, 10))
    words = ["-m", "collector", "pair", "--data", str(home), "--replay", str(quiet)]
    child = pexpect.spawn(sys.executable, words, cwd=ROOT, encoding="utf-8", timeout=60)
    answer(child, "Scan the label", LABEL.qr_text)
    child.expect_exact("press its button")
    answer(child, "Try again?", "n")
    child.expect(pexpect.EOF)
    child.close()
    assert 1 == child.exitstatus
