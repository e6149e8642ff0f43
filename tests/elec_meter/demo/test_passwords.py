from __future__ import annotations

from datetime import UTC, datetime

from elec_meter.access import PUBLISHED_PASSWORDS, Gate, Level
from elec_meter.demo.run import publish_passwords

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def test_the_demo_has_the_published_passwords() -> None:
    """One for each level; a password that was changed stays as it was changed."""
    assert {1: "reader", 2: "installer", 3: "supplier"} == PUBLISHED_PASSWORDS
    gate = Gate(lambda: "00000001", lambda *_: None)
    gate.set_password(Level.READER, "mine", bytes(16), NOON)
    publish_passwords(gate, NOON)
    for level, password in {**PUBLISHED_PASSWORDS, Level.READER: "mine"}.items():
        assert level is gate.sign_on_clear("FLAG TCP", password, (level,), NOON).level
