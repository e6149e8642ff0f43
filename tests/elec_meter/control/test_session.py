from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.control import AdjustClock, ControlSession, Request, encode_request
from elec_meter.control.session import LINE_LIMIT
from elec_meter.errors import DemandLockedError

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
REQUESTS = [
    b'{"request": "status"}\n',
    b'{"request":"clock.adjust","by_s":-3,"key":"a","level":1}\n',
    b'{"request": "demand.reset"}\n',
    b'{"request": "clock.set", "utc": "2026-04-01T12:00:00+01:00"}\n',
    b'{"request": "prices", "start": "2026-04-01T12:00:00Z", "prices_p_kwh": [1.005, -2]}\r\n',
]
BAD = {
    b"": "the request is not JSON",
    b"GET / HTTP/1.1": "the request is not JSON",
    b"\xff\xfe\x00": "the request is not JSON",
    b'{"request": "config.apply", "document": ' + b"[" * 99_999: "the request is nested too deeply",
    b"3": "the request: expected a table, got a whole number",
    b"{}": "the request: there must be a key 'request'",
    b'{"request": "brew"}': "the request: request: Invalid value 'brew'",
    b'{"request": "status", "colour": 1}': "the request: there is no key 'colour'",
    b'{"request": "status", "level": 4}': "the request: level: expected a whole number of",
    b'{"request": "status", "key": ""}': "the request: key: expected a text of at least 1",
    b'{"request": "clock.adjust"}': "the request: there must be a key 'by_s'",
    b'{"request": "clock.adjust", "by_s": 1.5}': "the request: by_s: expected a whole number",
    b'{"request": "clock.set", "utc": "2026-04-01T12:00:00"}': "the request: utc: ",
    b'{"request": "prices", "start": "2026-04-01T12:00:00Z", "prices_p_kwh": []}': "the request: ",
}


class Desk:
    """Answers every request with what it was; demand is locked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def perform(self, request: Request) -> dict[str, Any]:
        """What was asked, in a word."""
        self.asked.append(request)
        if "Demand" in type(request).__name__:
            raise DemandLockedError("not again for 3 s")
        return {"did": type(request).__name__}


def fed(*pieces: bytes) -> tuple[list[dict[str, Any]], list[Request], bool]:
    """The replies to what came in pieces, what was asked, and whether the session has ended."""
    desk = Desk()
    session = ControlSession(desk.perform, NOW)
    replies = b"".join(session.receive_data(piece, NOW) for piece in pieces)
    assert not replies or replies.endswith(b"\n")
    return [json.loads(line) for line in replies.splitlines()], desk.asked, session.closed


def test_each_request_has_its_reply_in_order() -> None:
    """A refusal is a reply with the error's class and sentence, and ends nothing."""
    replies, asked, closed = fed(b"".join(REQUESTS))
    assert [
        {"ok": True, "did": "GetStatus"},
        {"ok": True, "did": "AdjustClock"},
        {"ok": False, "error": "not again for 3 s", "kind": "DemandLockedError"},
        {"ok": True, "did": "SetClock"},
        {"ok": True, "did": "ReceivePrices"},
    ] == replies
    assert AdjustClock(by_s=-3, key="a", level=1) == asked[1]
    assert ["1.005", "-2"] == [str(price) for price in asked[4].prices_p_kwh]
    assert not closed


@pytest.mark.parametrize("seed", range(20))
def test_cuts_change_nothing(seed: int) -> None:
    """Whole, byte by byte and at random cuts the replies are the same, garbage included."""
    rng = random.Random(seed)
    data = b"".join(rng.choice([*REQUESTS, b'{"request": "\xc3\xa9"']) for _ in range(6)) + b"x\ny"
    cuts = sorted(rng.sample(range(len(data)), 5))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    whole = fed(data)
    assert whole == fed(*(data[n : n + 1] for n in range(len(data))))
    assert whole == fed(*pieces)


@pytest.mark.parametrize(("line", "sentence"), BAD.items(), ids=lambda each: str(each[:40]))
def test_what_is_no_request_ends_the_session(line: bytes, sentence: str) -> None:
    """It is told why in one sentence, and what follows is not heard."""
    ((reply,), asked, closed) = fed(line + b"\n" + REQUESTS[0])
    assert {"ok", "error", "kind"} == set(reply)
    assert (False, "ControlError") == (reply["ok"], reply["kind"])
    assert reply["error"].startswith(sentence)
    assert not reply["error"].endswith(".")
    assert [] == asked
    assert closed


@pytest.mark.parametrize("size", [1, 4096, LINE_LIMIT * 2])
def test_a_line_is_bounded(size: int) -> None:
    """The longest line is a request; of a longer one no more is kept, with or without its end."""
    longest = REQUESTS[0].strip().ljust(LINE_LIMIT - 1) + b"\n"
    step = size if size > 1 else LINE_LIMIT - 1
    assert [{"ok": True, "did": "GetStatus"}] == fed(*cut(longest, step))[0]
    for line in (b" " + longest, b" " * (LINE_LIMIT + 1)):
        (reply,), asked, closed = fed(*cut(line, step))
        assert f"a request has at most {LINE_LIMIT} bytes" == reply["error"]
        assert ([], True) == (asked, closed)


def cut(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of a size."""
    return [data[n : n + size] for n in range(0, len(data), size)]


def test_who_is_silent_or_slow_is_given_up() -> None:
    """A request has 30 s from the last reply on, however its bytes come."""
    desk = Desk()
    session = ControlSession(desk.perform, NOW)
    later = NOW + timedelta(seconds=29)
    session.receive_data(REQUESTS[0], later)
    assert later + timedelta(seconds=30) == session.next_timer()
    for second in range(29):
        assert b"" == session.receive_data(b"{", later + timedelta(seconds=second))
    said = session.handle_timer(later + timedelta(seconds=30))
    assert "no whole request came within 30 s" == json.loads(said)["error"]
    assert (True, None) == (session.closed, session.next_timer())
    assert b"" == session.receive_data(REQUESTS[0], later)
    assert 1 == len(desk.asked)


@given(st.lists(st.sampled_from([*REQUESTS, b"\n", b"{", b'"']) | st.binary(max_size=30)))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    """Every reply is one line of JSON, and only an ended session says nothing."""
    replies, asked, closed = fed(*pieces)
    assert all(isinstance(reply["ok"], bool) for reply in replies)
    assert len(replies) == len(asked) + closed


def test_what_is_sent_is_what_is_understood() -> None:
    """A request survives its own line, and defaults do not travel."""
    assert b'{"request":"clock.adjust","by_s":3}\n' == encode_request(AdjustClock(by_s=3))
    assert [AdjustClock(by_s=3, key="k")] == fed(encode_request(AdjustClock(by_s=3, key="k")))[1]
