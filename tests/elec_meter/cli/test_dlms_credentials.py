"""`elec-meter control dlms-keys` and `dlms-password` on a meter that does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from elec_meter import Meter, Storage
from elec_meter.config import demo_config
from elec_meter.dlms import Keys
from elec_meter.dlms_service import credentials_of
from elec_meter.events import EventCode
from tests.elec_meter.cli.test_control import NOON, run

EK, AK, KEK = "e1" * 16, "a1" * 16, "c1" * 16


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory of a meter that does not run."""
    with Storage.open(tmp_path) as storage:
        Meter(demo_config(), storage, NOON).checkpoint()
    return tmp_path


def test_keys_are_asked_for_and_logged(home: Path) -> None:
    """They are on nobody's screen, nor in the database."""
    typed = f"{EK}\n{AK}\n{KEK}\n"
    said = run(
        "control", "dlms-keys", "management", "--title", "00" * 8, "--data", home, text=typed
    )
    assert "has new keys" in said
    assert EK not in said
    rule = credentials_of(home).rule("management")
    assert Keys(bytes.fromhex(EK), bytes.fromhex(AK)) == rule.keys
    assert (bytes.fromhex(KEK), bytes(8)) == (rule.master, rule.title)
    with Storage.open(home, read_only=True) as storage:
        (event,) = [each for each in storage.events() if each.code == EventCode.KEYS_CHANGED]
    assert "the DLMS client management was given keys by the command line" == event.text
    database = b"".join(each.read_bytes() for each in home.glob("meter.sqlite*"))
    assert bytes.fromhex(EK) not in database
    assert EK.encode() not in database


def test_keys_are_drawn_and_printed_once(home: Path) -> None:
    """Others each time; the file has the last ones."""
    said = [run("control", "dlms-keys", "reader", "--generate", "--data", home) for _ in range(2)]
    keys = [[line.split()[1] for line in each.splitlines()[:3]] for each in said]
    assert 6 == len(set(keys[0] + keys[1]))
    rule = credentials_of(home).rule("reader")
    assert rule.keys is not None
    assert keys[1] == [each.hex() for each in (*rule.keys, rule.master)]


def test_keys_are_given_before_the_first_start(tmp_path: Path) -> None:
    """The directory is made for them, and whoever has mistyped its name is told."""
    home = tmp_path / "new"
    said = run("control", "dlms-keys", "management", "--generate", "--data", home)
    assert said.endswith(f"has new keys.\n{home} is new: it is for the meter that begins there.\n")
    assert credentials_of(home).has("management")
    typed = "correct horse\ncorrect horse\n"
    assert "is new" not in run("control", "dlms-password", "--data", home, text=typed)


def test_a_password_is_asked_for_twice(home: Path) -> None:
    """It is the reader's; keys that it has stay."""
    typed = "correct horse\ncorrect horse\n"
    assert "new password" in run("control", "dlms-password", "--data", home, text=typed)
    assert b"correct horse" == credentials_of(home).rule("reader").password


def test_a_refusal_is_one_sentence(home: Path) -> None:
    """Of what is no key, and of a password that is too short."""
    words = ("control", "dlms-keys", "reader", "--data", home)
    assert "EK has 32 hexadecimal digits" in run(*words, code=1, text="12\n34\n\n")
    words = ("control", "dlms-password", "--data", home)
    assert "8 to 64 bytes" in run(*words, code=1, text="short\nshort\n")


def test_nothing_is_no_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that gives an empty line is told so before any meter is asked, running or not."""
    monkeypatch.setattr("elec_meter.cli.dlms_credentials.order", None)
    said = run("control", "dlms-password", "--data", home, code=1, text="\n")
    assert "reader is given neither keys nor a password" in said
