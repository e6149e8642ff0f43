from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from dlms_cosem.protocol.xdlms import DataNotification, GeneralGlobalCipher
from dlms_cosem.security import SecurityControlField, decrypt
from dlms_cosem.utils import parse_as_dlms_data
from msgspec.structs import replace

from elec_meter.config import PushConfig, PushObject
from elec_meter.dlms import Push
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.wrapper import HEADER_SIZE, WrapperReader
from shared.timegrid import unix_s
from tests.elec_meter.dlms.asking import HALF_HOUR, KEYS, TITLE, device_of, lived_in
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

TO_HEAD_END = PushConfig(destination="head.end:4059")


def live(meter: FixedMeter, count: int) -> None:
    """So many further half-hours, of 5 Wh each."""
    for _ in range(count):
        begin = from_end(meter)
        meter.book("import", 5, begin)
        meter.ledger.close_through(unix_s(begin + HALF_HOUR))
        meter.now = begin + HALF_HOUR + timedelta(seconds=10)


def from_end(meter: FixedMeter) -> datetime:
    """The end of the last row."""
    closed_s = meter.ledger.closed_s
    assert closed_s is not None
    return START + timedelta(seconds=closed_s - unix_s(START))


def pushing(meter: FixedMeter, saved: bytes = b"", **changes: object) -> Push:
    """A push of a meter to the management."""
    device = device_of(meter.directory)
    config = replace(TO_HEAD_END, **changes)
    return Push(lambda: device, lambda: config, saved, meter.now)


def opened(message: bytes) -> DataNotification:
    """A notification, by a library that nobody here wrote."""
    wrapped = WrapperReader()
    wrapped.feed(message)
    asked = wrapped.read()
    assert asked is not None
    assert len(message) == HEADER_SIZE + len(asked.apdu)
    cipher = GeneralGlobalCipher.from_bytes(asked.apdu)
    assert TITLE == cipher.system_title
    plain = decrypt(
        security_control=SecurityControlField(security_suite=0, authenticated=True, encrypted=True),
        system_title=cipher.system_title,
        invocation_counter=cipher.invocation_counter,
        key=KEYS.encryption,
        cipher_text=cipher.ciphered_text,
        auth_key=KEYS.authentication,
    )
    return DataNotification.from_bytes(plain)


def told_body(message: bytes) -> list[object]:
    """What it tells."""
    body: list[object] = parse_as_dlms_data(opened(message).body)
    return body


def told(message: bytes) -> tuple[int, list[list[object]], int]:
    """Number, rows and alarms of a notification that tells what is told as a rule."""
    notification = opened(message)
    name, rows, alarms = parse_as_dlms_data(notification.body)
    assert name == b"HHY0000000000001"
    number = notification.long_invoke_id_and_priority.long_invoke_id
    return number, rows, alarms


def test_a_closed_half_hour_is_pushed_once() -> None:
    """With its time, encrypted; nothing that was there before, and nothing twice."""
    meter = lived_in(3)
    push = pushing(meter)
    assert b"" == push.message(meter.now)
    live(meter, 2)
    number, rows, alarms = told(push.message(meter.now))
    push.delivered(meter.now)

    assert (1, 0) == (number, alarms)
    assert [5, 5] == [row[2] for row in rows]
    assert (12, None) == (len(rows[0][0]), rows[1][0])
    assert b"" == push.message(meter.now)


def test_what_a_head_end_missed_comes_when_it_is_back() -> None:
    """All of it, piece by piece, in order; its repetitions wait longer and longer."""
    meter = lived_in(1)
    push, waits = pushing(meter), []
    live(meter, 200)
    meter.now += timedelta(seconds=TO_HEAD_END.look_every_s)
    for _ in range(12):
        assert push.message(meter.now)
        push.failed(meter.now)
        waits.append((push.next_timer() - meter.now).total_seconds())
        assert b"" == push.message(meter.now)
        meter.now = push.next_timer()
    assert [10, 20, 40, 80] == waits[:4]
    assert TO_HEAD_END.delay_max_s == waits[-1]
    counts = []
    while message := push.message(meter.now):
        counts.append(len(told(message)[1]))
        push.delivered(meter.now)

    assert [96, 96, 8] == counts


def test_a_restart_repeats_what_nobody_confirmed() -> None:
    """And nothing that somebody did."""
    meter = lived_in(1)
    push = pushing(meter)
    live(meter, 1)
    push.message(meter.now)
    before = push.packed()
    push.delivered(meter.now)
    again, on = pushing(meter, before), pushing(meter, push.packed())

    assert [5] == [row[2] for row in told(again.message(meter.now))[1]]
    assert b"" == on.message(meter.now)


def test_an_outage_costs_no_memory() -> None:
    """What is kept has the same size, and rows that are too old are left to be read."""
    meter = lived_in(1)
    push = pushing(meter)
    size = len(push.packed())
    live(meter, 48 * (TO_HEAD_END.keep_days + 2))
    meter.now += timedelta(seconds=TO_HEAD_END.look_every_s)
    rows = 0
    while message := push.message(meter.now):
        rows += len(told(message)[1])
        push.delivered(meter.now)

    assert 48 * TO_HEAD_END.keep_days == pytest.approx(rows, abs=1)
    assert size == len(push.packed())


def test_an_alarm_is_pushed_when_it_comes_and_when_it_comes_again() -> None:
    """Not while it stands, nor when it is cleared."""
    meter, value = lived_in(1), [0]
    alarms = meter.directory["0-0:97.98.20"]
    alarms._source = lambda _: value[0]  # type: ignore[attr-defined] - a register of Data, as any of these
    push = pushing(meter)
    found = []
    for each in (0, 4, 4, 6, 0, 4):
        value[0] = each
        meter.now += timedelta(seconds=TO_HEAD_END.look_every_s)
        message = push.message(meter.now)
        found.append(told(message)[2] if message else None)
        push.delivered(meter.now)

    assert [None, 4, None, 6, None, 4] == found


def test_every_notification_has_a_counter_of_its_own_that_is_durable() -> None:
    """A nonce is never used twice, whatever happens."""
    meter, durable = lived_in(1), []
    device = device_of(meter.directory, durable=lambda: durable.append(device.counters.state()))
    push = Push(lambda: device, lambda: TO_HEAD_END, b"", meter.now)
    live(meter, 1)
    messages = []
    for _ in range(3):
        messages.append(push.message(meter.now))
        push.failed(meter.now)
        meter.now = push.next_timer()

    ciphers = [GeneralGlobalCipher.from_bytes(each[HEADER_SIZE:]) for each in messages]
    assert [1, 2, 3] == [each.invocation_counter for each in ciphers]
    assert 3 == len(set(durable))


def unheard(meter: FixedMeter, push: Push) -> int:
    """How often it says something to a head end that is not there, in a while."""
    said = 0
    for _ in range(20):
        if push.message(meter.now):
            said += 1
            push.failed(meter.now)
        meter.now = push.next_timer()
    return said


def test_a_given_number_of_repetitions_is_enough() -> None:
    """Then nothing is said until there is more to say, which brings what was missed; or at once."""
    meter = lived_in(1)
    push = pushing(meter, retries=2)
    live(meter, 1)
    assert 3 == unheard(meter, push)
    push.send_now(meter.now)
    assert 3 == unheard(meter, push)
    live(meter, 1)
    meter.now += timedelta(seconds=TO_HEAD_END.look_every_s)
    assert [5, 5] == [row[2] for row in told(push.message(meter.now))[1]]


def test_nothing_is_owed_to_nobody() -> None:
    """Whoever is named later gets what closes from then on, and at once, whatever failed before."""
    meter, config = lived_in(3), [PushConfig()]
    device = device_of(meter.directory)
    push = Push(lambda: device, lambda: config[0], b"", meter.now)
    assert push.address is None
    live(meter, 1)
    meter.now += timedelta(seconds=TO_HEAD_END.look_every_s)
    assert b"" == push.message(meter.now)
    config[0] = TO_HEAD_END
    assert ("head.end", 4059) == push.address
    assert b"" == push.message(meter.now)
    live(meter, 1)
    assert [5] == [row[2] for row in told(push.message(meter.now))[1]]
    for _ in range(10):
        push.failed(meter.now)
    config[0] = PushConfig(destination="other.end:4059")
    assert push.next_timer() <= meter.now
    assert [5] == [row[2] for row in told(push.message(meter.now))[1]]


def test_what_is_told_is_what_the_configuration_names() -> None:
    """In its order; a list without rows says so of each half-hour."""
    meter = lived_in(1)
    named = (PushObject(object="1-0:1.8.0"), PushObject(object="0-0:42.0.0"))
    push = pushing(meter, objects=named)
    live(meter, 2)
    reading, name = told_body(push.message(meter.now))
    assert (meter.directory["1-0:1.8.0"].read(2, meter.now), b"HHY0000000000001") == (reading, name)
    push.delivered(meter.now)
    assert b"" == push.message(meter.now)


def test_what_no_wrapper_holds_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the meter try again and again; what comes next may fit."""
    meter = lived_in(1)
    push = pushing(meter)
    live(meter, 1)
    monkeypatch.setattr("elec_meter.dlms.push.BODY_MAX", 30)
    assert 0 == unheard(meter, push)
    monkeypatch.undo()
    live(meter, 1)
    meter.now += timedelta(seconds=TO_HEAD_END.look_every_s)
    assert [5, 5] == [row[2] for row in told(push.message(meter.now))[1]]


def test_half_hours_go_to_nobody_without_keys() -> None:
    """They are personal data; they wait for keys."""
    meter = lived_in(1)
    push = pushing(meter, client=16)
    live(meter, 1)
    assert b"" == push.message(meter.now)


def test_what_was_kept_is_not_begun_again_when_damaged() -> None:
    """The meter says so."""
    with pytest.raises(MalformedError):
        pushing(lived_in(1), b"\x07")
