"""When a unit that is lost and found is silent, and when that is told."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from collector.silence import STEADY_MS, Silence, Standing

PERIOD_MS = 900_000
DAY = STEADY_MS // PERIOD_MS


def lived(silence: Silence, heard: Iterable[bool], begin_ms: int = 0) -> tuple[list[int], int]:
    """In which periods a silence is news, and how many begin silent, a telegram due in each."""
    heard_ms, news, silent = begin_ms, [], 0
    for number, is_heard in enumerate(heard, start=1):
        now_ms = begin_ms + number * PERIOD_MS
        if silence.pass_time(heard_ms, now_ms):
            news.append(number)
        if is_heard:
            heard_ms = now_ms
            silence.hear(heard_ms)
        silent += silence.is_silent
    return news, silent


def steady() -> Silence:
    """A unit of which nothing is known yet."""
    return Silence(Standing.STEADY, 900, lambda _: None)


@pytest.mark.parametrize(("loss", "most"), [(0.1, 35), (0.5, 2), (0.9, 12)])
def test_a_lossy_radio_does_not_flood_the_log(loss: float, most: int) -> None:
    """A month at this loss: hundreds of silences at one in two, and next to no news."""
    lots = random.Random(1)
    news, silent = lived(steady(), (lots.random() >= loss for _ in range(30 * DAY)))
    assert 1 <= len(news) <= most
    assert loss < 0.5 or silent > 300


def test_it_is_news_again_after_a_day_without_a_silence() -> None:
    """And not before that."""
    for steady_periods, expected in ((DAY + 2, [3, 3 + DAY + 5]), (DAY - 2, [3])):
        heard = [False] * 3 + [True] * steady_periods + [False] * 4
        assert expected == lived(steady(), heard)[0]


def test_who_falls_silent_for_good_is_told_of() -> None:
    """Also when it was found again for a moment, and was last told of just before."""
    heard = [False] * 3 + [True] * 2 + [False] * 3 * DAY
    assert [3, 5 + DAY + 1] == lived(steady(), heard)[0]


def test_what_was_kept_goes_on() -> None:
    """After a restart nothing is told anew, and a day is counted from the first telegram."""
    kept: list[Standing] = []
    silence = Silence(Standing.STEADY, 900, kept.append)
    lived(silence, [False] * 3 + [True] + [False] * 3)
    assert [Standing.TOLD, Standing.PATCHY, Standing.AGAIN] == kept
    for standing in (Standing.PATCHY, Standing.AGAIN, Standing.TOLD):
        again = Silence(standing, 900, kept.append)
        assert [] == lived(again, [True] * (DAY - 1) + [False] * 4)[0]
    assert [DAY + 5] == lived(again, [True] * (DAY + 2) + [False] * 4)[0]


def test_a_clock_that_was_set_makes_nobody_silent() -> None:
    """By it, nothing has lasted for any time."""
    silence = steady()
    silence.listen_from(10 * STEADY_MS)
    assert not silence.pass_time(0, 10 * STEADY_MS + 2 * PERIOD_MS)
    assert silence.pass_time(0, 10 * STEADY_MS + 2 * PERIOD_MS + 1)
