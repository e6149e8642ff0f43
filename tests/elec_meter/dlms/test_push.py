from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from dlms_cosem.protocol.xdlms import DataNotification, GeneralGlobalCipher
from dlms_cosem.security import SecurityControlField, decrypt
from dlms_cosem.utils import parse_as_dlms_data

from elec_meter.dlms import LogicalDevice, Push, PushRule
from elec_meter.dlms.data import decode_data
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.policy import Level
from elec_meter.dlms.services import ActionResult
from elec_meter.dlms.wrapper import HEADER_SIZE, WrapperReader
from elec_meter.errors import ConfigError
from shared.timegrid import unix_s
from tests.elec_meter.dlms.asking import HALF_HOUR, KEYS, TITLE, device_of, lived_in
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

RULE = PushRule(host="head.end", port=4059)


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
    device = device_of(meter.directory, **changes)
    return Push(lambda: device, RULE, saved, meter.now)


def told(message: bytes) -> tuple[int, list[list[object]], int]:
    """Number, rows and alarms of a notification, by a library that nobody here wrote."""
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
    notification = DataNotification.from_bytes(plain)
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
    meter.now += timedelta(seconds=RULE.look_every_s)
    for _ in range(12):
        assert push.message(meter.now)
        push.failed(meter.now)
        waits.append((push.next_timer() - meter.now).total_seconds())
        assert b"" == push.message(meter.now)
        meter.now = push.next_timer()
    assert [10, 20, 40, 80] == waits[:4]
    assert RULE.delay_max_s == waits[-1]
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
    live(meter, 48 * (RULE.keep_days + 2))
    meter.now += timedelta(seconds=RULE.look_every_s)
    rows = 0
    while message := push.message(meter.now):
        rows += len(told(message)[1])
        push.delivered(meter.now)

    assert 48 * RULE.keep_days == pytest.approx(rows, abs=1)
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
        meter.now += timedelta(seconds=RULE.look_every_s)
        message = push.message(meter.now)
        found.append(told(message)[2] if message else None)
        push.delivered(meter.now)

    assert [None, 4, None, 6, None, 4] == found


def test_every_notification_has_a_counter_of_its_own_that_is_durable() -> None:
    """A nonce is never used twice, whatever happens."""
    meter, durable = lived_in(1), []
    device = device_of(meter.directory, durable=lambda: durable.append(device.counters.state()))
    push = Push(lambda: device, RULE, b"", meter.now)
    live(meter, 1)
    messages = []
    for _ in range(3):
        messages.append(push.message(meter.now))
        push.failed(meter.now)
        meter.now = push.next_timer()

    ciphers = [GeneralGlobalCipher.from_bytes(each[HEADER_SIZE:]) for each in messages]
    assert [1, 2, 3] == [each.invocation_counter for each in ciphers]
    assert 3 == len(set(durable))


def test_the_object_says_what_is_pushed_and_pushes() -> None:
    """Class 40: members, destination; the supplier has a repetition come at once."""
    meter = lived_in(1)
    push = pushing(meter)
    live(meter, 1)
    push.message(meter.now + timedelta(minutes=1))
    push.failed(meter.now)
    reader, supplier = push.object(Level.READER), push.object(Level.SUPPLIER)
    members = decode_data(supplier.readers[2]()).value
    destination = decode_data(supplier.readers[3]()).value

    assert [1, 7, 1] == [each.value[0].value for each in members]
    assert b"head.end:4059" == destination[1].value
    assert {1: None} == reader.methods
    invoke = supplier.methods[1]
    assert invoke is not None
    assert ActionResult.SUCCESS is invoke(None).result
    assert meter.now == push.next_timer()


def test_half_hours_go_to_nobody_without_keys() -> None:
    """They are personal data."""
    meter = lived_in(1)
    device: LogicalDevice = device_of(meter.directory)
    with pytest.raises(ConfigError, match="no keys"):
        Push(lambda: device, PushRule(host="x", port=1, sap=16), b"", meter.now)
    with pytest.raises(ConfigError, match="waits"):
        PushRule(host="x", port=1, delay_s=0)


def test_what_was_kept_is_not_begun_again_when_damaged() -> None:
    """The meter says so."""
    with pytest.raises(MalformedError):
        pushing(lived_in(1), b"\x07")
