from __future__ import annotations

from collector.ble_contact import ContactPlan

PERIOD_S = 14_400.0


def test_a_repeated_advert_is_a_window() -> None:
    """The same twice within two seconds; not once, not another, and not long after."""
    plan = ContactPlan(PERIOD_S, 0.0)
    assert not plan.heard(b"1", 0.0)
    assert not plan.heard(b"2", 0.1)
    assert plan.heard(b"2", 0.2)
    assert not plan.heard(b"2", 60.0)


def test_contact_is_made_when_it_is_due() -> None:
    """After a period, or when there is something to ask; an attempt that fails has a pause."""
    plan = ContactPlan(PERIOD_S, 0.0)
    plan.contacted(10.0)
    plan.heard(b"1", 100.0)
    assert not plan.heard(b"1", 100.1)
    plan.want(100.1)
    assert plan.heard(b"1", 100.2)
    plan.failed(100.2)
    assert not plan.heard(b"1", 101.2)
    assert plan.heard(b"1", 103.2)
    plan.failed(103.2, 120.0)
    plan.heard(b"1", 220.0)
    assert not plan.heard(b"1", 220.1)
    plan.heard(b"1", 226.2)
    assert plan.heard(b"1", 226.3)


def test_where_no_window_is_ever_told_contact_is_tried_blindly() -> None:
    """A whole period late, at any advert, once a minute."""
    plan = ContactPlan(PERIOD_S, 0.0)
    assert not plan.heard(b"1", PERIOD_S - 1)
    assert plan.heard(b"2", PERIOD_S)
    plan.failed(PERIOD_S)
    assert not plan.heard(b"3", PERIOD_S + 59)
    assert plan.heard(b"4", PERIOD_S + 60)
