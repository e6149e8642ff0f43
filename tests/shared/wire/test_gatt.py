from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire import gatt
from shared.wire.errors import Malformed, Truncated, WireError
from shared.wire.gatt import (
    LogRequest,
    decode_log_request,
    decode_result,
    encode_log_request,
    encode_result,
)

WORDS = st.integers(0, 0xFFFFFFFF)


def told(request: LogRequest | None) -> tuple[int, int, int, int, bool] | None:
    """A request's fields."""
    if request is None:
        return None
    return request.nonce, request.boot, request.tick_s, request.limit, request.newest


@given(WORDS, WORDS, WORDS, st.integers(0, 0xFFFF))
def test_a_range_reads_as_it_was_asked_for(nonce: int, boot: int, tick_s: int, limit: int) -> None:
    """After any entry, with any limit, in less than the smallest write."""
    data = encode_log_request(LogRequest(nonce, boot, tick_s, limit))
    assert gatt.NOTIFICATION_MIN >= len(data)
    assert (nonce, boot, tick_s, limit, False) == told(decode_log_request(data))


@given(WORDS, st.integers(1, 0xFFFF))
def test_the_newest_read_as_they_were_asked_for(nonce: int, limit: int) -> None:
    """The last of the log, so many of them."""
    data = encode_log_request(LogRequest(nonce, limit=limit, newest=True))
    assert (nonce, 0, 0, limit, True) == told(decode_log_request(data))


def test_an_answer_can_be_stopped() -> None:
    """One byte ends it."""
    assert b"\x00" == encode_log_request(None)
    assert decode_log_request(b"\x00") is None


@pytest.mark.parametrize(
    "request_",
    [
        LogRequest(1 << 32),
        LogRequest(0, boot=-1),
        LogRequest(0, tick_s=1 << 32),
        LogRequest(0, limit=0x10000),
        LogRequest(0, newest=True),
    ],
)
def test_a_request_that_has_no_room_is_refused(request_: LogRequest) -> None:
    """Rather than sent as another one."""
    with pytest.raises(Malformed):
        encode_log_request(request_)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("", Truncated),
        ("01", Truncated),
        ("0100000000000000000000000000", Truncated),
        ("01000000000000000000000000000000", Malformed),
        ("0200000000", Truncated),
        ("02000000000000", Malformed),
        ("020000000001000000", Malformed),
        ("0000", Malformed),
        ("03", Malformed),
    ],
)
def test_other_requests_are_refused(data: str, error: type[WireError]) -> None:
    """Too short, too long, unknown, or the newest of none."""
    with pytest.raises(error):
        decode_log_request(bytes.fromhex(data))


def test_a_result_names_its_command() -> None:
    """Its counter, whatever the command was, and what became of it."""
    result = decode_result(encode_result(bytes.fromhex("0107000000AABB"), 3))
    assert (7, 3) == (result.counter, result.code)
    result = decode_result(encode_result(b"", gatt.NO_COMMAND))
    assert (0, 0xFF) == (result.counter, result.code)


@pytest.mark.parametrize(("data", "error"), [("00", Truncated), ("000000000000", Malformed)])
def test_other_results_are_refused(data: str, error: type[WireError]) -> None:
    """A result has five bytes."""
    with pytest.raises(error):
        decode_result(bytes.fromhex(data))


def test_the_uuids_are_one_family() -> None:
    """They differ in their first 32 bits alone, and each is used once."""
    uuids = [gatt.SERVICE_UUID, *gatt.UUIDS]
    assert len(uuids) == len(set(uuids))
    assert 1 == len({uuid[8:] for uuid in uuids})
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid) for uuid in uuids)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**24), max_size=20))
def test_last_pulses_round_trip(uptime_s: int, ages_s: list[int]) -> None:
    """At most sixteen ages come back, newest first, each as it was or saturated."""
    newest_first = sorted(age_s for age_s in ages_s if age_s <= uptime_s)
    data = gatt.encode_pulses(uptime_s, tuple(uptime_s - age_s for age_s in newest_first))
    assert len(data) <= gatt.value_max(gatt.PULSES)
    told = tuple(min(age_s, 0x7FFFFF) for age_s in newest_first[:16])
    assert (uptime_s, told) == gatt.decode_pulses(data)


@pytest.mark.parametrize("data", ["000000", "0000000001", "00000000020000010000", "00" * 55])
def test_what_are_no_last_pulses_is_refused(data: str) -> None:
    """Cut, out of order or too many."""
    with pytest.raises(WireError):
        gatt.decode_pulses(bytes.fromhex(data))


SEEN = st.none() | st.tuples(st.integers(1, 2**32 - 1), WORDS)


@given(st.integers(0, 0xFFFF), SEEN, SEEN)
def test_flags_round_trip(
    flags: int, tamper: tuple[int, int] | None, magnet: tuple[int, int] | None
) -> None:
    """The flags, and the boot and uptime at which those of tampering were first seen."""
    data = gatt.encode_flags(flags, tamper, magnet)
    assert gatt.value_max(gatt.FLAGS) == len(data)
    assert (flags, tamper, magnet) == gatt.decode_flags(data)


def test_flags_are_these_bytes() -> None:
    """A tamper loop seen open in boot 7 after 260 s, and no magnet."""
    told = "0400 07000000 04010000 00000000 00000000"
    assert bytes.fromhex(told) == gatt.encode_flags(4, (7, 260), None)


@pytest.mark.parametrize(("length", "error"), [(17, Truncated), (19, Malformed)])
def test_what_are_no_flags_is_refused(length: int, error: type[WireError]) -> None:
    """They have eighteen bytes."""
    with pytest.raises(error):
        gatt.decode_flags(bytes(length))
