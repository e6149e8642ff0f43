from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from elec_meter.access import (
    CommandMacError,
    Gate,
    Level,
    LevelLockedError,
    SignOnRefusedError,
    VerifierError,
    client_key,
    command_key,
    command_mac,
    proof,
    stored_key,
)
from elec_meter.errors import NotAllowedError, StorageError
from elec_meter.events import EventCode

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
SALT, SEED, SERIAL = bytes(range(16)), bytes(range(16, 32)), "00000001"
PORT = "FLAG TCP"
CLIENT = client_key("supplier", SALT, Level.SUPPLIER)
PROOF = proof(CLIENT, SERIAL, Level.SUPPLIER, SEED)


@pytest.fixture
def log() -> list[tuple[EventCode, str]]:
    """What was logged."""
    return []


@pytest.fixture
def gate(log: list[tuple[EventCode, str]]) -> Gate:
    """A meter with the supplier's password alone."""
    gate = Gate(lambda: SERIAL, lambda code, text, now: log.append((code, text)))
    gate.set_verifier(Level.SUPPLIER, SALT, stored_key(CLIENT), NOON)
    log.clear()
    return gate


def fail(gate: Gate, times: int, now: datetime = NOON) -> None:
    """Wrong proofs."""
    for _ in range(times):
        with pytest.raises(SignOnRefusedError):
            gate.sign_on(PORT, Level.SUPPLIER, bytes(32), SEED, now)


def test_who_proves_the_password_is_let_in(gate: Gate, log: list[tuple[EventCode, str]]) -> None:
    """With the level and the port in the log, and as the author of what follows."""
    who = gate.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON)
    assert (Level.SUPPLIER, "level 3 at FLAG TCP") == (who.level, who.author)
    assert [(EventCode.SIGNED_ON, "level 3 signed on at FLAG TCP")] == log


def test_three_failures_lock_and_are_logged(gate: Gate, log: list[tuple[EventCode, str]]) -> None:
    """The right proof is not looked at until the minute is over, nor is a wrong one counted."""
    fail(gate, 3)
    for second in (0, 30, 59):
        with pytest.raises(LevelLockedError, match="locked at FLAG TCP until 2026-04-01 12:01:00"):
            gate.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON + timedelta(seconds=second))
    assert gate.sign_on("FLAG optical", Level.SUPPLIER, PROOF, SEED, NOON)
    assert gate.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON + timedelta(seconds=60))
    expected = [EventCode.SIGN_ON_FAILED] * 3 + [EventCode.LEVEL_LOCKED]
    assert expected + [EventCode.SIGNED_ON] * 2 == [code for code, _ in log]
    assert "a sign-on to level 3 failed at FLAG TCP" == log[0][1]
    assert "level 3 is locked at FLAG TCP until 2026-04-01 12:01:00 UTC" == log[3][1]


def test_a_success_forgets_the_failures(gate: Gate) -> None:
    """Two, the right proof, and two again: nothing is locked."""
    for _ in range(2):
        fail(gate, 2)
        assert gate.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON)


def test_what_is_kept_brings_locks_back_and_holds_no_password(gate: Gate) -> None:
    """A power cut opens no lock, and a thief of the bytes finds nothing to sign on with."""
    fail(gate, 3)
    again = Gate(lambda: SERIAL, lambda *_: None, gate.packed())
    with pytest.raises(LevelLockedError):
        again.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON)
    assert (SALT, (Level.SUPPLIER,)) == (again.salt, again.levels)
    for secret in (b"supplier", CLIENT, PROOF):
        assert secret not in gate.packed()
    with pytest.raises(StorageError, match="verifiers are damaged"):
        Gate(lambda: SERIAL, lambda *_: None, b"\x93nonsense")


def test_a_level_without_a_password_is_refused_alike(gate: Gate) -> None:
    """There is no telling from outside which levels have one, nor a way in by a short proof."""
    for level, sent in ((Level.READER, PROOF), (Level.FACTORY, PROOF), (Level.SUPPLIER, b"")):
        with pytest.raises(SignOnRefusedError, match=r"^the sign-on was refused$"):
            gate.sign_on(PORT, level, sent, SEED, NOON)


def test_a_clear_password_counts_where_its_level_takes_one(gate: Gate) -> None:
    """Right, wrong, of a level that takes none, and locked after three."""
    supplier = (Level.READER, Level.SUPPLIER)
    assert Level.SUPPLIER is gate.sign_on_clear(PORT, "supplier", supplier, NOON).level
    with pytest.raises(SignOnRefusedError):
        gate.sign_on_clear(PORT, "supplier", (), NOON)
    for _ in range(3):
        with pytest.raises(SignOnRefusedError):
            gate.sign_on_clear(PORT, "guess", supplier, NOON)
    with pytest.raises(LevelLockedError):
        gate.sign_on_clear(PORT, "supplier", supplier, NOON)


def test_a_clear_password_where_none_is_taken_is_logged(
    gate: Gate, log: list[tuple[EventCode, str]]
) -> None:
    """Once for each, and nothing is locked by it: neither no level, nor one without a password."""
    for levels in ((), (Level.READER,)) * 2:
        with pytest.raises(SignOnRefusedError, match=r"^the sign-on was refused$"):
            gate.sign_on_clear(PORT, "supplier", levels, NOON)
    assert [(EventCode.SIGN_ON_FAILED, "a sign-on in clear was refused at FLAG TCP")] * 4 == log
    assert not any(gate.is_locked(PORT, level, NOON) for level in Level)


def test_wrong_clear_passwords_lock_one_level_after_the_other(gate: Gate) -> None:
    """The lowest that was tried: three guesses leave the levels above it open."""
    for level in (Level.READER, Level.INSTALLER):
        gate.set_password(level, f"level {int(level)}", SALT, NOON)
    levels = (Level.READER, Level.INSTALLER, Level.SUPPLIER)
    locked = []
    for _ in range(3):
        for _ in range(3):
            with pytest.raises(SignOnRefusedError):
                gate.sign_on_clear(PORT, "guess", levels, NOON)
        locked.append([level for level in levels if gate.is_locked(PORT, level, NOON)])
    assert [list(levels[:1]), list(levels[:2]), list(levels)] == locked
    with pytest.raises(LevelLockedError):
        gate.sign_on_clear(PORT, "supplier", levels, NOON)


def test_a_mac_is_taken_once(gate: Gate) -> None:
    """In order; and who sent a clear password has no key for any."""
    who = gate.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON)
    key = command_key(CLIENT, SERIAL, Level.SUPPLIER, SEED)
    who.check_mac(b"W1", command_mac(key, 0, 0, b"W1"))
    for number, place in ((0, 0), (2, 0), (1, 1)):
        with pytest.raises(CommandMacError):
            who.check_mac(b"W1", command_mac(key, number, place, b"W1"))
    who.check_mac(b"W1", command_mac(key, 1, 0, b"W1"))
    who.check_mac(b"W3", command_mac(key, 2, 7, b"W3"), place=7)
    clear = gate.sign_on_clear(PORT, "supplier", (Level.SUPPLIER,), NOON)
    with pytest.raises(CommandMacError):
        clear.check_mac(b"W1", b"")


@pytest.mark.parametrize(
    ("of", "level", "may"),
    [(1, 1, False), (1, 2, True), (2, 2, True), (3, 2, False), (3, 3, True), (1, 3, True)],
)
def test_who_may_change_which_password(gate: Gate, of: int, level: int, may: bool) -> None:
    """The installer's and the reader's from level 2 on, the supplier's by the supplier."""
    stored = stored_key(client_key("new", SALT, Level(of)))
    if not may:
        with pytest.raises(NotAllowedError, match="may not change the password"):
            gate.set_verifier(Level(of), SALT, stored, NOON, level=Level(level))
        return
    gate.set_verifier(Level(of), SALT, stored, NOON, level=Level(level))
    assert gate.sign_on_clear(PORT, "new", (Level(of),), NOON)


def test_a_verifier_that_would_lock_everybody_out_is_refused(gate: Gate) -> None:
    """Another salt, another length, a level that has none: the old password still opens."""
    stored = stored_key(CLIENT)
    for of, salt, key in (
        (Level.SUPPLIER, SEED, stored),
        (Level.SUPPLIER, SALT, stored[:31]),
        (Level.PUBLIC, SALT, stored),
        (Level.FACTORY, SALT, stored),
    ):
        with pytest.raises(VerifierError):
            gate.set_verifier(of, salt, key, NOON)
    assert gate.sign_on(PORT, Level.SUPPLIER, PROOF, SEED, NOON)


@pytest.mark.parametrize("password", ["reader", "installer", "supplier"])
def test_no_order_sets_a_password_that_everybody_knows(
    gate: Gate, password: str, log: list[tuple[EventCode, str]]
) -> None:
    """At whatever level; the old one still opens, and a program that has it knows that it is."""
    assert not gate.is_published(Level.INSTALLER)
    gate.set_password(Level.INSTALLER, "swordfish", SALT, NOON)
    assert not gate.is_published(Level.INSTALLER)
    log.clear()
    key = stored_key(client_key(password, SALT, Level.INSTALLER))
    with pytest.raises(VerifierError, match="a password of the demo, which everybody knows"):
        gate.change_verifier(Level.INSTALLER, SALT, key, NOON, level=Level.SUPPLIER)
    assert [] == log
    assert gate.sign_on_clear(PORT, "swordfish", (Level.INSTALLER,), NOON)
    gate.set_verifier(Level.INSTALLER, SALT, key, NOON)
    assert gate.is_published(Level.INSTALLER)


def test_an_order_sets_any_other(gate: Gate, log: list[tuple[EventCode, str]]) -> None:
    """With its author in the log, under the rules of levels."""
    key = stored_key(client_key("swordfish", SALT, Level.SUPPLIER))
    with pytest.raises(NotAllowedError):
        gate.change_verifier(Level.SUPPLIER, SALT, key, NOON, level=Level.INSTALLER)
    gate.change_verifier(Level.SUPPLIER, SALT, key, NOON, level=Level.SUPPLIER, author="a test")
    assert [(EventCode.PASSWORD_CHANGED, "the password of level 3 was changed by a test")] == log
    assert gate.sign_on_clear(PORT, "swordfish", (Level.SUPPLIER,), NOON)


def test_whoever_has_the_password_sets_it_with_the_meters_salt(gate: Gate) -> None:
    """A first one brings the salt."""
    gate.set_password(Level.READER, "reader", SEED, NOON)
    assert (SALT, (Level.READER, Level.SUPPLIER)) == (gate.salt, gate.levels)
    assert gate.sign_on_clear(PORT, "reader", (Level.READER,), NOON)


def test_another_protocol_shares_the_lock_outs_and_the_log(
    gate: Gate, log: list[tuple[EventCode, str]]
) -> None:
    """By its own port's name: three failures lock it, a success opens the count again."""
    port = "DLMS TCP"
    gate.failed(port, Level.SUPPLIER, NOON)
    gate.succeeded(port, Level.SUPPLIER, NOON)
    for _ in range(3):
        assert not gate.is_locked(port, Level.SUPPLIER, NOON)
        gate.failed(port, Level.SUPPLIER, NOON)
    assert gate.is_locked(port, Level.SUPPLIER, NOON)
    assert not gate.is_locked(PORT, Level.SUPPLIER, NOON)
    assert not gate.is_locked(port, Level.SUPPLIER, NOON + timedelta(minutes=1))
    assert (EventCode.SIGNED_ON, "level 3 signed on at DLMS TCP") == log[1]
