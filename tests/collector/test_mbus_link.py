from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mbus_link import Expected, MasterLink, Unanswered
from shared.wire.mbus import ACKNOWLEDGE, REQ_UD2, RSP_UD, SND_NKE, Frame, encode_frame

ASK = Frame(REQ_UD2, 5)
RESET = Frame(SND_NKE, 5)
ANSWER = Frame(RSP_UD, 5, bytes([0x72, *range(60)]))
DONE = bytes([ACKNOWLEDGE])


def heard(
    said: list[bytes], request: Frame = ASK, expected: Expected = Expected.DATA
) -> Frame | Unanswered:
    """What a link makes of bytes that come 5 ms apart."""
    link = MasterLink(2_400, 50)
    link.ask(request, expected, 0)
    now_ms = 100
    for data in said:
        link.receive_data(data, now_ms)
        now_ms += 5
    while (answer := link.take_answer()) is None:
        due_ms = link.next_timer()
        assert due_ms is not None
        link.handle_timer(due_ms)
    assert link.next_timer() is None
    return answer


@given(data=st.data(), echo=st.booleans(), noise=st.binary(max_size=20))
def test_cuts_change_nothing(data: st.DataObject, echo: bool, noise: bytes) -> None:
    """Behind noise or an echo, whole, byte by byte or at random cuts: the same answer."""
    said = (encode_frame(ASK) if echo else noise) + encode_frame(ANSWER)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=6)))
    pieces = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    whole = heard([said])
    assert whole == heard(pieces) == heard([bytes([byte]) for byte in said])
    if echo or not noise:
        assert ANSWER == whole


@given(said=st.lists(st.binary(max_size=300), max_size=5), expected=st.sampled_from(Expected))
def test_there_are_three_outcomes(said: list[bytes], expected: Expected) -> None:
    """A frame, silence or noise: whatever is heard."""
    assert isinstance(heard(said, expected=expected), (Frame, Unanswered))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], Unanswered.SILENCE),
        ([DONE], Frame(None)),
        ([DONE, DONE], Unanswered.NOISE),
        ([encode_frame(RESET), DONE], Frame(None)),
        ([encode_frame(RESET)], Unanswered.SILENCE),
        ([encode_frame(ANSWER)], Unanswered.NOISE),
    ],
)
def test_an_acknowledgement_is_one_byte_alone(
    said: list[bytes], expected: Frame | Unanswered
) -> None:
    """Two at once are none; what a converter hands back is not heard."""
    assert expected == heard(said, RESET, Expected.ACKNOWLEDGEMENT)


@pytest.mark.parametrize(
    "said",
    [
        encode_frame(Frame(RSP_UD, 6, b"\x72")),
        encode_frame(Frame(0x48, 5, b"\x72")),
        encode_frame(Frame(RSP_UD, 5)),
        encode_frame(ANSWER)[:-1] + b"\x17",
        DONE,
    ],
)
def test_others_answers_are_noise(said: bytes) -> None:
    """Another slave's, a master's, one without data, a damaged one, an acknowledgement."""
    assert Unanswered.NOISE == heard([said])


def test_a_line_that_never_falls_silent_ends_too() -> None:
    """After the time of the longest frame it is noise, and what was kept of it is bounded."""
    link = MasterLink(300, 50)
    link.ask(ASK, Expected.DATA, 0)
    now_ms = 0
    while (answer := link.take_answer()) is None:
        now_ms += 10
        link.receive_data(b"\x68\xff\xff\x68" * 100, now_ms)
        assert 300 > len(link._heard)
    assert Unanswered.NOISE == answer
    assert 15_000 > now_ms


def test_a_late_answer_is_not_the_next_ones() -> None:
    """What comes between requests is dropped, and the next waits until it is over."""
    link = MasterLink(2_400, 50)
    link.ask(ASK, Expected.DATA, 0)
    link.handle_timer(link.next_timer() or 0)
    assert Unanswered.SILENCE == link.take_answer()
    link.receive_data(encode_frame(ANSWER)[:20], 2_000)
    assert 2_000 < link.ready_ms
    link.ask(ASK, Expected.DATA, link.ready_ms)
    link.receive_data(encode_frame(ANSWER), link.ready_ms + 100)
    assert ANSWER == link.take_answer()
