"""The fold against its slow reference, and against itself resumed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from collector.advance import Advances
from collector.bracket import BoundaryCount, PulseStatus
from collector.entries import (
    LOG_HORIZON_S,
    CountEntry,
    EndEntry,
    Entry,
    Pairing,
    TelegramKey,
)
from collector.halfhours import Fold, fold
from shared.wire.telegram import PulseTelegram
from tests.collector.world import START_S, PaperJournal, PaperUnit
from tests.naive import pulse_fold

BASES = [4_294_967_290, 4_294_900_000, (1 << 31) + 5]

_GAPS_S = st.sampled_from([1, 7, 60, 900, 901, 1795, 1800, 1805, 3600, 9000, 40_000, 150_000])
_HAPPENINGS = st.sampled_from(
    ["send"] * 8
    + ["late", "again", "again at once", "forward", "delay lie", "reboot", "power up", "phase"]
    + ["tamper", "roll back", "placeholder", "unproven", "pulse"]
    + ["count", "old count", "count", "log", "log", "part of the log", "end"]
)

_BESIDE = ("count", "old count", "log", "part of the log", "end")


@st.composite
def journals(draw: st.DrawFn) -> tuple[list[Entry], Pairing, int]:
    """A journal of a unit that lives through all sorts of things, its pairing, and a later now."""
    drift_ppm = draw(st.sampled_from([0, -50, 50, 95]))
    base = draw(st.sampled_from(BASES))
    unit = PaperUnit([], first_count=base, drift_ppm=drift_ppm, boot_ms=START_S * 1000 - 5_000_000)
    unit.next_grid_s = draw(st.sampled_from([5000, 5004, 4321]))
    journal = PaperJournal()
    paired_ms = START_S * 1000 + draw(st.integers(0, 3_000_000))
    pairing = Pairing(paired_ms, base, pulses_max=20)
    if draw(st.integers(0, 3)) == 0:
        pairing = replace(pairing, horizon_s=LOG_HORIZON_S)
    now_ms = paired_ms
    said: list[tuple[TelegramKey, PulseTelegram]] = []
    for happening, gap_s, pulses in draw(
        st.lists(st.tuples(_HAPPENINGS, _GAPS_S, st.integers(0, 4)), min_size=1, max_size=12)
    ):
        span_ms = gap_s * 1000
        unit.pulses_ms += [now_ms + span_ms * (n + 1) // (pulses + 1) for n in range(pulses)]
        now_ms += span_ms
        flight_ms = draw(st.integers(0, 5000))
        if happening == "reboot":
            unit.reboot(now_ms)
        elif happening == "power up":
            journal.epoch += 1
        elif happening == "phase":
            unit.set_phase(now_ms, now_ms % 1_800_000)
        elif happening in _BESIDE:
            _tell_beside(draw, happening, unit, journal, now_ms + flight_ms)
        elif happening in ("late", "again", "again at once") and said:
            back = 0 if happening == "again at once" else draw(st.integers(0, len(said) - 1))
            key, telegram = said[-1 - back]
            journal.receive(key, telegram, now_ms + flight_ms, None if back else 1)
        elif happening != "pulse":
            history = draw(st.sampled_from([96, 96, 48, 4, 1]))  # as much as found room
            error_flags = 1 if happening == "tamper" else 0
            telegram = unit.telegram(now_ms, error_flags=error_flags, history=history)
            if happening == "roll back":
                telegram.count = (telegram.count - 3) % (1 << 32)
            if happening == "placeholder":
                telegram.count = draw(st.sampled_from([0, (1 << 32) - 1]))
            key = TelegramKey(unit.boot, unit.counter)
            said.append((key, telegram))
            if draw(st.integers(0, 3)):
                if happening == "delay lie":
                    flight_ms += 3_000_000
                delay_max_s = None if happening == "forward" else 5
                is_authentic = happening != "unproven"
                journal.receive(
                    key, telegram, now_ms + flight_ms, delay_max_s, is_authentic=is_authentic
                )
    stamped_ms = [entry.stamp.received_ms for entry in journal.entries]
    now_ms = max([now_ms, *stamped_ms]) + draw(st.sampled_from([0, 1800, 90_000, 180_000])) * 1000
    return journal.entries, pairing, now_ms


def _tell_beside(
    draw: st.DrawFn, happening: str, unit: PaperUnit, journal: PaperJournal, now_ms: int
) -> None:
    """Whatever is told of a count beside telegrams."""
    counters = [entry.key.counter for entry in journal.entries if isinstance(entry, CountEntry)]
    if happening == "end":
        if not any(isinstance(entry, EndEntry) for entry in journal.entries):
            journal.end(unit.turned(now_ms) + draw(st.sampled_from([0, 0, 3])), now_ms)
    elif happening in ("log", "part of the log"):
        whole = unit.log(now_ms)
        kept = whole if happening == "log" else whole[: draw(st.integers(0, len(whole)))]
        journal.read_log(kept[-12:], now_ms)
    else:
        counter = max(counters, default=0) + (2 if happening == "count" else -1)
        count = unit.first_count + unit.turned(now_ms)
        delay_max_s = draw(st.sampled_from([5, 60, None]))
        if counter not in counters:
            journal.receive_count(counter, count, now_ms, delay_max_s)


_SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))
_lengths = pytest.mark.parametrize("examples", [12, pytest.param(600, marks=pytest.mark.slow)])

World = tuple[list[Entry], Pairing, int]


@_lengths
def test_fold_is_its_slow_reference(examples: int) -> None:
    """The fast fold gives the rows of the plain one."""

    @settings(_SETTINGS, max_examples=examples)
    @given(journals())
    def demand(world: World) -> None:
        entries, pairing, now_ms = world
        for entry in entries:
            note(str(entry))
        assert pulse_fold.fold(entries, pairing, now_ms) == fold(entries, pairing, now_ms)

    demand()


def _resumed(pairing: Pairing, entries: list[Entry], finals: dict[int, BoundaryCount]) -> Fold:
    """A fold built from what a database keeps: counts of all entries, and those of the window."""
    advances = Advances(pairing)
    for entry in entries:
        advances.add(entry)
    newest_s = min(at_s for at_s in finals if at_s + 1800 not in finals)
    state = Fold(pairing, advances, {at_s: f for at_s, f in finals.items() if at_s >= newest_s})
    if entries:
        first_ms = pairing.window_ms(entries[-1].stamp.received_ms)
        early = [entry for entry in entries if entry.stamp.received_ms < first_ms]
        end = next((entry for entry in entries if isinstance(entry, EndEntry)), None)
        state.remember([*early[-1:], *entries[len(early) :]], end)
    return state


@_lengths
def test_fold_is_the_same_in_steps(examples: int) -> None:
    """Resumed before any entry, and with timers between, it settles what one pass settles."""

    @settings(_SETTINGS, max_examples=2 * examples)
    @given(journals(), st.data())
    def demand(world: World, data: st.DataObject) -> None:
        entries, pairing, now_ms = world
        finals = _settled_in_steps(world, data)
        for row in fold(entries, pairing, now_ms):
            start, end = finals.get(row.start_s), finals.get(row.start_s + 1800)
            assert row.final == (start is not None and end is not None)
            if start is not None and end is not None:
                assert start.pulses is not None
                assert row.pulses == (end.pulses or 0) - start.pulses

    demand()


def _settled_in_steps(world: World, data: st.DataObject) -> dict[int, BoundaryCount]:
    """What becomes final entry by entry; nothing does so twice."""
    entries, pairing, now_ms = world
    state = Fold(pairing)
    finals = {pairing.first_s: BoundaryCount.at_pairing()}
    last_ms = pairing.paired_ms
    for place, entry in enumerate(entries):
        if data.draw(st.booleans(), label="resume"):
            state = _resumed(pairing, entries[:place], finals)
        timer_ms = data.draw(st.integers(last_ms, entry.stamp.received_ms), label="timer")
        finals.update(state.seal(timer_ms).boundaries)
        step = state.apply(entry)
        assert not step.boundaries.keys() & finals.keys()
        finals.update(step.boundaries)
        last_ms = entry.stamp.received_ms
    finals.update(state.seal(now_ms).boundaries)
    return finals


@st.composite
def truthful_journals(draw: st.DrawFn) -> list[Entry]:
    """All that a unit in phase says, whole: a phase set late, histories of any length."""
    unit = PaperUnit([], first_count=0, boot_ms=START_S * 1000 - 5_000_000)
    unit.next_grid_s = draw(st.sampled_from([5000, 4321]))
    journal = PaperJournal()
    now_ms = START_S * 1000
    steps = st.tuples(_GAPS_S, st.integers(0, 9), st.sampled_from([96, 96, 8, 2]), st.booleans())
    for gap_s, pulses, history, is_phased in draw(st.lists(steps, min_size=2, max_size=8)):
        span_ms = gap_s * 1000
        unit.pulses_ms += [now_ms + span_ms * (n + 1) // (pulses + 1) for n in range(pulses)]
        now_ms += span_ms
        telegram = unit.telegram(now_ms, history=history)
        journal.receive(TelegramKey(1, unit.counter), telegram, now_ms + 500)
        if is_phased:
            unit.set_phase(now_ms, now_ms % 1_800_000)
    return journal.entries


@pytest.mark.parametrize("examples", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_hearing_more_never_measures_less(examples: int) -> None:
    """Whatever is measured without some telegram is measured with it."""
    pairing = Pairing(START_S * 1000, 0, pulses_max=1000)

    @settings(_SETTINGS, max_examples=examples)
    @given(truthful_journals(), st.data())
    def demand(entries: list[Entry], data: st.DataObject) -> None:
        now_ms = entries[-1].stamp.received_ms
        unheard = data.draw(st.integers(0, len(entries) - 2), label="unheard")
        fewer = fold(entries[:unheard] + entries[unheard + 1 :], pairing, now_ms)
        for less, row in zip(fewer, fold(entries, pairing, now_ms), strict=True):
            note(f"{less} {row}")
            if less.status == PulseStatus.MEASURED:
                assert PulseStatus.MEASURED == row.status

    demand()


@_lengths
def test_order_of_processing_does_not_matter(examples: int) -> None:
    """The same stamped entries, shuffled and some of them twice, give the same rows."""

    @settings(_SETTINGS, max_examples=examples)
    @given(journals(), st.randoms())
    def demand(world: World, random: Random) -> None:
        entries, pairing, now_ms = world
        shuffled = [*entries, *entries[::2]]
        random.shuffle(shuffled)
        assert fold(entries, pairing, now_ms) == fold(shuffled, pairing, now_ms)

    demand()
