"""Sign-on, reads and writes of the programming mode, on a real meter."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from elec_meter.access import Level
from elec_meter.alarms import Alarm
from elec_meter.config import AccessConfig
from elec_meter.errors import CheckpointFailedError
from elec_meter.events import EventCode
from elec_meter.flag import FlagLine, State
from elec_meter.storage import Storage
from tests.elec_meter.flag.programmer import (
    ACK,
    BREAK,
    NAK,
    NOON,
    PROGRAM,
    SALT,
    SIGN_ON,
    Desktop,
    framed,
    refusal,
)

EXPOSED = FlagLine(is_exposed=True)


@pytest.fixture
def desktop() -> Desktop:
    """The demo's meter with its passwords."""
    return Desktop()


def test_a_challenge_has_a_seed_that_never_comes_again(desktop: Desktop) -> None:
    """Seed, salt and cost; another seed with every challenge."""
    seeds = set()
    for _ in range(5):
        programmer = desktop.programmer()
        programmer.challenge()
        assert SALT == programmer.salt
        seeds.add(programmer.seed)
    assert 5 == len(seeds)


def test_without_passwords_there_is_no_programming(desktop: Desktop) -> None:
    """A meter that was given none refuses the mode with a break."""
    desktop.gate._keys.clear()
    programmer = desktop.programmer()
    programmer.say(SIGN_ON)
    assert BREAK == programmer.say(PROGRAM)


@pytest.mark.parametrize("level", [Level.READER, Level.INSTALLER, Level.SUPPLIER])
def test_each_level_reads_and_is_logged(desktop: Desktop, level: Level) -> None:
    """What is personal is open after the sign-on, which is in the log with level and port."""
    programmer = desktop.programmer(level)
    assert "1.6.0()" in programmer.read("1.6.0()")
    assert "1.8.0(000000.000*kWh)" == programmer.read("1.8.0()")
    assert f"level {int(level)} signed on at FLAG TCP" in desktop.texts(EventCode.SIGNED_ON)


def test_before_a_sign_on_the_public_registers_are_open(desktop: Desktop) -> None:
    """And nothing else is: no demand, no half-hours, no write."""
    programmer = desktop.programmer()
    programmer.challenge()
    assert "0.0.0(00000001)" == programmer.read("0.0.0(1)")
    assert "ER05" == refusal(programmer.command("R1", "1.6.0()"))
    assert "ER05" == refusal(programmer.command("R5", "P()"))
    assert "ER02" == refusal(programmer.command("W1", "0-0:10.0.1;M1(1)"))
    assert ACK == programmer.prove(Level.READER)


def test_a_proof_is_taken_once(desktop: Desktop) -> None:
    """Recorded and sent again it is refused, in the same session and in the next one."""
    programmer = desktop.programmer(Level.SUPPLIER)
    recorded = programmer.sent[-1]
    assert "ER03" == refusal(programmer.say(recorded))
    assert State.SIGN_ON is programmer.session.state
    again = desktop.programmer()
    again.challenge()
    assert "ER03" == refusal(again.say(recorded))
    assert 1 == len(desktop.texts(EventCode.SIGN_ON_FAILED))


@pytest.mark.parametrize("slip", ["(9,00)", "(3,00)", "(3)", "()", f"(3,{'0' * 63})"])
def test_what_is_no_proof_uses_no_seed_up(desktop: Desktop, slip: str) -> None:
    """The challenge still stands, and nothing of it counts as a failure."""
    programmer = desktop.programmer()
    programmer.challenge()
    assert "ER08" == refusal(programmer.command("P2", slip))
    assert ACK == programmer.prove(Level.SUPPLIER)
    assert [] == desktop.texts(EventCode.SIGN_ON_FAILED)


def test_a_wrong_password_locks_the_level_on_its_port_through_a_restart(tmp_path: Path) -> None:
    """Three failures: a minute for that level there, open elsewhere; a power cut opens nothing."""
    optical = FlagLine(port="FLAG optical")
    with Storage.open(tmp_path) as storage:
        desktop = Desktop(storage)
        for _ in range(3):
            assert "ER03" == refusal(desktop.programmer().sign_on(Level.SUPPLIER, "guess"))
        assert "ER04" == refusal(desktop.programmer().sign_on(Level.SUPPLIER))
        assert ACK == desktop.programmer().sign_on(Level.INSTALLER)
        assert ACK == desktop.programmer(line=optical).sign_on(Level.SUPPLIER)
    with Storage.open(tmp_path) as storage:
        desktop = Desktop(storage, now=NOON + timedelta(seconds=59))
        assert "ER04" == refusal(desktop.programmer().sign_on(Level.SUPPLIER))
        desktop.now += timedelta(seconds=1)
        for _ in range(3):
            assert "ER03" == refusal(desktop.programmer().sign_on(Level.SUPPLIER, "guess"))
        desktop.now += timedelta(seconds=119)
        assert "ER04" == refusal(desktop.programmer().sign_on(Level.SUPPLIER))
        desktop.now += timedelta(seconds=1)
        assert ACK == desktop.programmer().sign_on(Level.SUPPLIER)
        assert 6 == len(desktop.texts(EventCode.SIGN_ON_FAILED))
        locks = desktop.texts(EventCode.LEVEL_LOCKED)
        assert Alarm.LEVEL_LOCKED in desktop.meter.alarms.raised
        display = desktop.meter.display.snapshot(desktop.now)
    assert ["12:01:00 UTC", "12:03:00 UTC"] == [text[-12:] for text in locks]
    assert "level 3 is locked at FLAG TCP until 2026-04-01" in locks[0]
    assert display.icons.alarm


def test_a_clear_password_is_off_until_it_is_allowed(desktop: Desktop) -> None:
    """Then for its level alone, and never over a line that strangers hear."""
    programmer = desktop.programmer()
    programmer.challenge()
    assert "ER03" == refusal(programmer.command("P1", "(reader)"))
    config = replace(desktop.meter.config, access=AccessConfig(clear_levels=(1,)))
    desktop.meter.apply_config(config, desktop.now)
    for line, password, answer in (
        (None, "reader", ACK),
        (None, "supplier", b"ER03"),
        (EXPOSED, "reader", b"ER03"),
    ):
        programmer = desktop.programmer(line=line)
        programmer.challenge()
        assert answer in programmer.command("P1", f"({password})")


def test_over_an_exposed_line_a_write_needs_a_mac(desktop: Desktop) -> None:
    """From level 2 on, each its own; recorded, changed or out of turn it is refused."""
    programmer = desktop.programmer(Level.SUPPLIER, EXPOSED)
    assert "ER09" == refusal(programmer.command("W1", "0-0:128.50.2(20)"))
    assert ACK == programmer.command("W1", "0-0:128.50.2(20)", mac=True)
    recorded = programmer.sent[-1]
    assert ACK == programmer.command("W1", "0-0:128.50.2(30)", mac=True)
    assert "ER10" == refusal(programmer.say(recorded))
    assert 30 == desktop.meter.config.checkpoint_s
    assert "1.6.0()" in programmer.read("1.6.0()")
    reader = desktop.programmer(Level.READER, EXPOSED)
    assert ACK == reader.command("W1", "0-0:1.0.0;M6(1)")
    here = desktop.programmer(Level.SUPPLIER)
    assert ACK == here.command("W1", "0-0:128.50.2(20)", mac=True)
    assert "ER10" == refusal(here.command("W1", "0-0:128.50.2(40)(0123456789abcdef)"))


def test_a_block_over_an_exposed_line_is_taken_in_its_place_and_with_its_end(
    desktop: Desktop,
) -> None:
    """Nobody in between makes a whole value of its beginning, or of its end."""
    first, last = '0-0:128.50.4({"sync_limit_s":20})', '0-0:128.50.4({"sync_limit_s":30})'
    programmer = desktop.programmer(Level.SUPPLIER, EXPOSED)
    block = programmer.message("W3", first, "\x04", mac=True)
    cut_short = framed(block[1:-2].decode() + "\x03")
    assert "ER10" == refusal(programmer.say(cut_short))
    assert ACK == programmer.say(block)
    programmer.read("ER()")
    assert "ER10" == refusal(programmer.command("W3", last, mac=True, place=1))
    assert 1 == desktop.meter.config_version


def test_a_long_value_over_an_exposed_line_comes_in_blocks(desktop: Desktop) -> None:
    """Each with its MAC, its place and its end."""
    programmer = desktop.programmer(Level.SUPPLIER, EXPOSED)
    pieces = [f"0-0:128.50.4({piece})" for piece in ('{"sync', "_limit", '_s":20}')]
    for place, piece in enumerate(pieces[:-1]):
        assert ACK == programmer.block("W3", piece, mac=True, place=place)
    assert ACK == programmer.command("W3", pieces[-1], mac=True, place=2)
    assert 20 == desktop.meter.config.clock.sync_limit_s
    assert ACK == programmer.command("W1", "0-0:128.50.2(20)", mac=True)


@pytest.mark.parametrize(
    ("letters", "data", "number"),
    [
        ("R1", "0.0.0.0.0.0.0.0.0()", "ER01"),
        ("R1", f"1.8.0({'1' * 129})", "ER01"),
        ("R1", "1.8.0(1)(2)", "ER01"),
        ("R1", "1.8.0", "ER01"),
        ("W3", '0-0:128.50.21([{"v":"mqtt://evil"}])', "ER01"),
        ("R1", "1.8.0;x()", "ER01"),
        ("R2", "1.8.0()", "ER02"),
        ("E2", "1.8.0()", "ER02"),
        ("R1", "1.8.9()", "ER06"),
        ("R1", "nonsense()", "ER06"),
        ("R1", "()", "ER01"),
        ("R1", "1.8.0;9()", "ER06"),
        ("R1", "0-0:1.0.0;M6()", "ER06"),
        ("W1", "1.8.0(0)", "ER07"),
        ("W1", "1.8.0;9(0)", "ER06"),
        ("W1", "1.8.0;M1(0)", "ER06"),
        ("W1", "0-0:1.0.0;M6(x)", "ER08"),
        ("W1", "0-0:1.0.0;M6(1*s)", "ER08"),
        ("W1", "C(0g)", "ER08"),
        ("W5", "C(AAAAA)", "ER08"),
        ("W5", "C(+AAA)", "ER08"),
        ("W1", "C()", "ER08"),
        ("R3", "P.1.0(2604011200)", "ER08"),
        ("R3", "P.1.0(2604011200;26040112)", "ER08"),
        ("R1", "1.8.0(2)", "ER08"),
        ("R5", "0-0:99.98.0()", "ER08"),
    ],
)
def test_refusals_say_which(desktop: Desktop, letters: str, data: str, number: str) -> None:
    """Each has its number, the session goes on, and nothing was done."""
    programmer = desktop.programmer(Level.SUPPLIER)
    assert number == refusal(programmer.command(letters, data))
    assert programmer.read("ER()") != "ER()"
    assert "0.0.0(00000001)" == programmer.read("0.0.0()")
    assert 1 == desktop.meter.config_version


def test_texts_are_in_the_characters_of_the_line(desktop: Desktop) -> None:
    """What a value may not have is an underscore, and what is true or false is a number."""
    config = replace(desktop.meter.config, device_ids=("a(b)*/c! \u00e9",))
    desktop.meter.apply_config(config, desktop.now)
    programmer = desktop.programmer(Level.READER)
    assert "C.1.1(a_b___c_ _)" == programmer.read("0-0:96.1.1()")
    assert "0-0:1.0.0;8(0)" == programmer.read("0-0:1.0.0;8()")


def test_a_bad_check_is_asked_for_again(desktop: Desktop) -> None:
    """NAK, and the command sent again is carried out once; after three the meter ends it."""
    programmer = desktop.programmer(Level.SUPPLIER)
    good = b"\x01W1\x020-0:128.50.2(20)\x03"
    assert NAK == programmer.say(good + b"\x00")
    assert ACK == programmer.command("W1", "0-0:128.50.2(20)")
    assert [NAK] * 3 == [programmer.say(good + b"\x00") for _ in range(3)]
    assert BREAK == programmer.say(good + b"\x00")
    assert State.SIGN_ON is programmer.session.state
    assert 2 == desktop.meter.config_version


def test_a_command_with_a_bad_check_is_asked_for_again_once(desktop: Desktop) -> None:
    """Also when it holds what might begin another message."""
    programmer = desktop.programmer(Level.SUPPLIER)
    assert NAK == programmer.say(b'\x01W3\x020-0:128.50.21([{"v":"mqtt://evil/x"}])\x03\x00')


def test_an_answer_is_repeated_and_its_command_not_done_again(desktop: Desktop) -> None:
    """A reader that could not read the answer asks for it again."""
    programmer = desktop.programmer(Level.SUPPLIER)
    assert ACK == programmer.command("W1", "0-0:10.0.1;M1(2)")
    assert [ACK] * 3 == [programmer.say(NAK) for _ in range(3)]
    assert 1 == len(desktop.texts(EventCode.BILLING_ENDED))
    assert BREAK == programmer.say(NAK)


def test_a_silent_programmer_is_signed_off_after_two_minutes(desktop: Desktop) -> None:
    """With a break; each sensible command gives another two."""
    programmer = desktop.programmer(Level.SUPPLIER)
    for _ in range(3):
        programmer.later(seconds=119)
        assert "0.0.0(00000001)" == programmer.read("0.0.0()")
    programmer.later(seconds=120)
    assert BREAK == programmer.session.handle_timer(desktop.now)
    assert programmer.session.closed


def test_a_new_sign_on_takes_the_level_away(desktop: Desktop) -> None:
    """Who signs on again, or breaks, begins at level 0."""
    programmer = desktop.programmer(Level.SUPPLIER)
    programmer.challenge()
    assert "ER02" == refusal(programmer.command("W1", "0-0:128.50.2(20)"))
    programmer.prove(Level.SUPPLIER)
    assert b"" == programmer.say(BREAK)
    assert b"" == programmer.command("W1", "0-0:128.50.2(20)")
    assert 1 == desktop.meter.config_version


def test_a_write_that_the_disk_does_not_take_is_told(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No acknowledgement without durability, and no sign-on either."""
    programmer, other = desktop.programmer(Level.SUPPLIER), desktop.programmer()
    other.challenge()

    def refuse(*_: object) -> None:
        raise CheckpointFailedError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(Storage, "checkpoint", refuse)
        assert "ER12" == refusal(programmer.command("W1", "0-0:128.50.2(20)"))
        assert "ER12" == refusal(programmer.command("R1", "1.8.0()"))
        assert "ER12" == refusal(other.prove(Level.SUPPLIER))
    assert "ER02" == refusal(other.command("W1", "0-0:128.50.2(30)"))
    assert ACK == programmer.command("W1", "0-0:128.50.2(20)")
