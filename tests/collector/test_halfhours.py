"""The rules from ticks to half-hours, one by one."""

from __future__ import annotations

import pytest

from collector import Pairing, PulseHalfHour, PulseStatus
from collector.entries import LOG_HORIZON_S, JournalEntry, LogPlace, LogTick
from collector.halfhours import Fold, fold
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_TAMPER, PulseTelegram
from tests.collector.frames import key, telegram
from tests.collector.world import START_S, PaperJournal

START_MS = START_S * 1000
PAIRING = Pairing(START_MS, 0, 100)


class Air:
    """Telegrams of a unit that booted 1000 s before the pairing, each received at once."""

    def __init__(self) -> None:
        self.journal = PaperJournal()
        self._counter = 0

    def hear(self, after_s: float, count: int, **fields: object) -> JournalEntry:
        """Receive a telegram this long after the pairing."""
        said = telegram(count, int(after_s) + 1000, **fields)
        return self.receive(after_s, said)

    def receive(
        self, after_s: float, said: PulseTelegram, delay_max_s: int | None = 2
    ) -> JournalEntry:
        """Receive what was said, this long after the pairing."""
        self._counter += 1
        received_ms = START_MS + int(after_s * 1000)
        return self.journal.receive(key(self._counter), said, received_ms, delay_max_s)

    def rows(self, after_s: float) -> list[PulseHalfHour]:
        """The half-hours that have ended then."""
        return fold(self.journal.entries, PAIRING, START_MS + int(after_s * 1000))


@pytest.fixture
def air() -> Air:
    """Nothing in it yet."""
    return Air()


def _row(start: int, pulses: int | None, status: int, final: bool) -> PulseHalfHour:
    return PulseHalfHour(START_S + start, pulses, PulseStatus(status), final)


def test_count_that_stands_still_is_measured(air: Air) -> None:
    """The same count before and after a boundary is the count at it, and the row is final."""
    air.hear(900, 4)
    air.hear(2700, 4)
    assert [_row(0, 4, 0, True)] == air.rows(2700)


def test_count_known_within_ten_seconds_is_measured(air: Air) -> None:
    """A telegram sent surely within 10 s of a boundary measures it while gas flows."""
    air.hear(900, 4)
    air.hear(1798, 7)
    air.hear(2700, 30)
    assert [_row(0, 7, 0, True)] == air.rows(2700)


def test_last_pulse_measures(air: Air) -> None:
    """No pulse since before the boundary, says the last one's age: its count is the boundary's."""
    air.hear(900, 4)
    air.hear(2700, 6, last_pulse_age_s=1500)
    assert [_row(0, 6, 0, True)] == air.rows(2700)


def test_unit_that_is_in_phase_measures_in_flow(air: Air) -> None:
    """A grid tick within 10 s of the boundary, and the history behind it, measure."""
    air.hear(900, 4, grid_count=0, grid_age_s=900)
    air.hear(5500, 90, grid_count=80, grid_age_s=100, increments=(40, 25, 15))
    expected = [_row(0, 15, 0, True), _row(1800, 25, 0, True), _row(3600, 40, 0, True)]
    assert expected == air.rows(5500)


def test_history_that_may_have_moved_is_no_measurement(air: Air) -> None:
    """Before any tick of the grid is known, a history may be off by as much as ends it."""
    air.hear(5500, 90, grid_count=80, grid_age_s=100, increments=(40, 25))
    assert [1, 1, 1] == [row.status for row in air.rows(5500)]


def test_short_history_hides_nothing_of_the_next_one(air: Air) -> None:
    """A large increment leaves room for half the history; the next telegram tells all again."""
    pulses = [3] * 12
    pulses[10] = 300
    for heard in (1, 11, 12):
        counts = [sum(pulses[:ended]) for ended in range(heard + 1)]
        history = tuple(pulses[:heard][::-1][: 4 if heard == 11 else 12])
        air.hear(
            heard * 1800 + 60, counts[-1], grid_count=counts[-1], grid_age_s=60, increments=history
        )
    rows = air.rows(12 * 1800 + 60)
    assert pulses[1:] == [row.pulses for row in rows[1:]]
    assert [0] * 9 == [row.status for row in rows[1:10]]


def test_grid_that_was_moved_a_little_still_measures(air: Air) -> None:
    """A tick between two grids 4 s apart is within 10 s of the boundary on either."""
    air.hear(900, 4, grid_count=0, grid_age_s=904)
    air.hear(5500, 90, grid_count=80, grid_age_s=100, increments=(40, 25, 15))
    assert [0, 0, 0] == [row.status for row in air.rows(5500)]


def test_tick_of_another_grid_is_not_taken_for_that_of_a_history(air: Air) -> None:
    """Where the phase was moved by 700 s, a history begins at its own first tick, in phase."""
    air.hear(1200, 4, grid_count=4, grid_age_s=100)
    air.hear(5500, 90, grid_count=80, grid_age_s=1900, increments=(40,))
    air.hear(5600, 90, grid_count=90, grid_age_s=200, increments=(10, 40))
    rows = air.rows(5600)
    assert [(40, 0), (40, 0), (10, 0)] == [(row.pulses, row.status) for row in rows]


def test_gas_between_is_interpolated_and_conserved(air: Air) -> None:
    """With gas flowing between two telegrams the pulses are spread evenly and none is lost."""
    air.hear(900, 10)
    air.hear(4500, 46)
    air.hear(4500 + 1800, 46)
    rows = air.rows(6300)
    assert [18, 19, 9] == [row.pulses for row in rows]
    assert [1, 1, 1] == [row.status for row in rows]
    assert [False, False, False] == [row.final for row in rows]


def test_nothing_heard_since_is_pending(air: Air) -> None:
    """Without a telegram after a boundary there is no number."""
    air.hear(900, 10)
    assert [_row(0, None, 2, False)] == air.rows(2000)


def test_silence_becomes_final_at_the_horizon(air: Air) -> None:
    """48 hours after a boundary its row is final, with what was known in time."""
    air.hear(900, 10)
    assert not air.rows(1800 + 48 * 3600)[0].final
    assert _row(0, 10, 1, True) == air.rows(1800 + 48 * 3600 + 1)[0]


def test_what_comes_after_the_horizon_is_no_evidence(air: Air) -> None:
    """A telegram 50 hours late cannot change what is final; its pulses are in later rows."""
    air.hear(900, 10)
    late_s = 50 * 3600 + 900
    air.hear(late_s, 60, grid_count=60, grid_age_s=900, increments=(0,) * 96)
    rows = air.rows(late_s)
    assert [10, 0, 0, 0] == [row.pulses for row in rows[:4]]
    assert 60 == sum(row.pulses or 0 for row in rows)
    assert all(row.final for row in rows)


def test_final_row_never_changes(air: Air) -> None:
    """Whatever comes later, a row that was final stays as it was."""
    air.hear(900, 4)
    air.hear(2700, 4)
    before = air.rows(2700)
    air.hear(2800, 3)
    air.receive(2900, telegram(9, 1500), delay_max_s=None)
    assert before == air.rows(2900)[:1]


def test_telegram_overtaken_on_its_way_does_not_bend_the_clock(air: Air) -> None:
    """An old telegram that is played back says at most that it was sent before."""
    air.hear(900, 4)
    old = telegram(5, 2000)
    air._counter += 1
    air.hear(2700, 6)
    air.journal.receive(key(2), old, START_MS + 9_000_000, 2)
    air.hear(9900, 6)
    assert not any(row.status & PulseStatus.DOUBTFUL_CLOCK for row in air.rows(9900))


def test_impossible_receptions_are_a_doubtful_clock(air: Air) -> None:
    """A telegram that came an hour after its bearer says it could makes rows doubtful."""
    air.hear(900, 4)
    air.receive(1700 + 3600, telegram(4, 2700))
    air.hear(5600, 4)
    rows = air.rows(5600)
    assert [4, 4, 4] == [row.status for row in rows]
    assert not any(row.final for row in rows)


def test_clocks_of_two_epochs_are_not_compared(air: Air) -> None:
    """After a power-up with another clock, old receptions cast no doubt on the new ones."""
    air.hear(900, 4)
    air.journal.epoch += 1
    for after_s in (5300, 5600, 7400):  # by the unit's clock an hour earlier
        air.receive(after_s, telegram(4, after_s - 2600))
    assert [False, False, False, False] == [
        PulseStatus.DOUBTFUL_CLOCK in row.status for row in air.rows(7400)
    ]


@pytest.mark.parametrize("boot", [1, 2])
def test_clocks_that_contradict_each_other_are_doubtful(air: Air, boot: int) -> None:
    """At least 30 by one epoch's clock or boot, and at most 10 by another's, is no measurement."""
    air.hear(900, 0)
    air.hear(1850, 10)
    air.journal.epoch += 2 - boot
    said = telegram(30, 6000)
    air.journal.receive(key(9, boot=boot), said, START_MS + 1_700_000, 2)
    assert [_row(0, 30, 4, False)] == air.rows(1850)


def test_flags_mark_the_half_hour_in_which_they_were_told(air: Air) -> None:
    """Tamper and low battery are in the row of their telegram alone."""
    air.hear(900, 4)
    air.hear(2700, 4, error_flags=FLAG_TAMPER | FLAG_LOW_BATTERY)
    air.hear(4500, 4)
    assert [0, 32 | 64] == [row.status for row in air.rows(4500)]


def test_rollback_marks_its_row_and_falls_nowhere(air: Air) -> None:
    """A count that fell is flagged; no boundary is below one before it."""
    air.hear(900, 10)
    air.hear(2700, 7)
    air.hear(4500, 8)
    rows = air.rows(4500)
    assert PulseStatus.COUNT_ROLLED_BACK in rows[1].status
    assert 10 == rows[0].pulses
    assert all(row.pulses is not None and row.pulses >= 0 for row in rows)


def test_more_than_the_meter_can_turn_is_marked(air: Air) -> None:
    """A half-hour with more pulses than possible is kept, and flagged."""
    air.hear(900, 101)
    air.hear(2700, 101)
    assert [_row(0, 101, 16, True)] == air.rows(2700)


def test_unproven_telegrams_mark_their_rows(air: Air) -> None:
    """Rows that rest on telegrams without a MAC say so."""
    for counter, after_s in enumerate((900, 2700)):
        air.journal.receive(
            key(counter),
            telegram(4, after_s + 1000),
            START_MS + after_s * 1000,
            2,
            is_authentic=False,
        )
    assert [_row(0, 4, 128, True)] == air.rows(2700)


def test_counts_without_a_clock_measure_what_stood_still(air: Air) -> None:
    """Adverts tell when they were received alone: the same count before and after is measured."""
    air.journal.receive_count(1, 4, START_MS + 900_000, 60)
    air.journal.receive_count(2, 4, START_MS + 1_900_000, 60)
    air.journal.receive_count(3, 9, START_MS + 3_700_000, 60)
    assert [_row(0, 4, 0, True), _row(1800, 4, 1, False)] == air.rows(3700)


def test_count_received_within_ten_seconds_is_measured(air: Air) -> None:
    """An advert that surely was sent within 10 s of a boundary measures it while gas flows."""
    for counter, (after_s, delay_max_s) in enumerate([(900, 5), (1806, 5), (3606, 60), (4500, 5)]):
        air.journal.receive_count(counter, counter * 7, START_MS + after_s * 1000, delay_max_s)
    assert [(7, 0), (7, 1)] == [(row.pulses, int(row.status)) for row in air.rows(4500)]


def test_counts_and_telegrams_are_of_one_meter(air: Air) -> None:
    """A telegram before a boundary and an advert after it with the same count measure it."""
    air.hear(900, 4)
    air.journal.receive_count(1, 4, START_MS + 1_900_000, 60)
    assert [_row(0, 4, 0, True)] == air.rows(1900)


def test_log_measures_what_telegrams_left_open(air: Air) -> None:
    """Counts of the unit's own log at ticks that are in phase measure the half-hours of gas."""
    air.hear(100, 3, grid_count=0, grid_age_s=100)
    air.hear(9100, 90)
    assert [1, 1, 1, 1, 1] == [row.status for row in air.rows(9100)]
    log = [LogTick(1, 1000 + 1800 * place, 20 * place) for place in range(1, 5)]
    air.journal.read_log(log, START_MS + 9_110_000)
    rows = air.rows(9110)
    assert [20, 20, 20, 20] == [row.pulses for row in rows[:4]]
    assert [0, 0, 0, 0] == [row.status for row in rows[:4]]


def test_log_of_what_no_telegram_was_sent_after_waits(air: Air) -> None:
    """Logged counts are evidence from the next telegram on, and never above the register."""
    air.hear(100, 3, grid_count=0, grid_age_s=100)
    air.journal.read_log([LogTick(1, 2800, 20), LogTick(1, 4600, 40)], START_MS + 3_700_000)
    assert [None, None] == [row.pulses for row in air.rows(3700)]
    air.hear(3800, 41)
    assert [(20, 0), (20, 0)] == [(row.pulses, int(row.status)) for row in air.rows(3800)]


def test_log_of_another_boot_is_placed_by_its_own_telegrams(air: Air) -> None:
    """A tick of a boot that no telegram was heard of has no place in UTC, and does no harm."""
    air.hear(100, 3)
    air.journal.receive(key(9, boot=3), telegram(50, 100), START_MS + 5_500_000, 2)
    air.journal.read_log([LogTick(2, 1000, 30), LogTick(3, 0, 45)], START_MS + 5_600_000)
    rows = air.rows(5600)
    assert [1, 1, 1] == [row.status for row in rows]
    # The boot's own first entry says that 45 had been counted 100 s before its telegram.
    assert [0, 45] == [(rows[0].pulses or 0) // 20, sum(row.pulses or 0 for row in rows)]


def test_unit_whose_log_can_be_read_has_31_days(air: Air) -> None:
    """Its half-hours wait for 31 days, and are measured by a log that is read after 30."""
    pairing = Pairing(START_MS, 0, 100, LOG_HORIZON_S)
    month_s = 30 * 86_400
    air.hear(100, 3, grid_count=0, grid_age_s=100)
    air.hear(month_s, 1500)
    before = fold(air.journal.entries, pairing, START_MS + month_s * 1000)
    assert not before[0].final
    log = [LogTick(1, 1000 + 1800 * place, 3 + place) for place in range(1, 1440)]
    air.journal.read_log(log, START_MS + month_s * 1000 + 1)
    after = fold(air.journal.entries, pairing, START_MS + month_s * 1000 + 1)
    assert _row(0, 4, 0, True) == after[0]
    assert not before[700].final
    late = fold(air.journal.entries[:2], pairing, START_MS + (31 * 86_400 + 1801) * 1000)
    assert late[0].final


def test_gap_of_the_log_is_where_telegrams_tell_nothing(air: Air) -> None:
    """After a silence the log is wanted from before it on; not once it was read."""
    air.hear(100, 3, grid_count=0, grid_age_s=100)
    air.hear(1900, 20, grid_count=19, grid_age_s=100, increments=(19,))
    state = Fold(PAIRING)
    for entry in air.journal.entries:
        state.apply(entry)
    assert state.log_gap() is None
    state.apply(air.hear(12_700, 90, grid_count=88, grid_age_s=100))
    assert LogPlace(1, 1101) == state.log_gap()
    log = [LogTick(1, 1000 + 1800 * place, 15 * place) for place in range(8)]
    air.journal.read_log(log, START_MS + 12_800_000)
    state.apply(air.journal.entries[-1])
    assert state.log_gap() is None


def test_gap_of_the_log_before_the_first_telegram(air: Air) -> None:
    """A unit that was paired and not heard since: the log of the boot that is heard now has it."""
    state = Fold(PAIRING)
    assert state.log_gap() is None
    state.apply(air.hear(12_700, 90, grid_count=88, grid_age_s=100))
    assert LogPlace(1, 0) == state.log_gap()


def test_what_an_old_unit_tells_counts_up_to_its_last(air: Air) -> None:
    """Off its meter, a unit's further counts are none; its half-hours go on without pulses."""
    air.hear(900, 4)
    air.journal.end(7, START_MS + 2_000_000)
    air.hear(2100, 9)
    air.hear(5500, 30)
    expected = [(6, 1), (1, 1), (0, 0)]
    assert expected == [(row.pulses, int(row.status)) for row in air.rows(5500)]


def test_years_after_the_end_are_one_run() -> None:
    """What a unit that was taken off does not count is final at once, however long ago it was."""
    air = Air()
    air.hear(900, 4)
    air.journal.end(4, START_MS + 2_000_000)
    state = Fold(PAIRING)
    for entry in air.journal.entries:
        state.apply(entry)
    step = state.seal(START_MS + 5 * 365 * 86_400_000)
    assert step.silence is not None
    assert 4 == step.silence.boundary.pulses
    assert 3 > len(step.finals)


def test_pairing_fixes_the_first_edge(air: Air) -> None:
    """Pulses before the pairing are in no row, though they fell into its half-hour."""
    pairing = Pairing(START_MS + 600_000, 50, 100)
    air.hear(900, 54)
    air.hear(2700, 54)
    assert [_row(0, 4, 0, True)] == fold(air.journal.entries, pairing, START_MS + 2_700_000)


def test_five_silent_years_are_sealed() -> None:
    """What was never heard is final all the same, and adds up to nothing."""
    state = Fold(PAIRING)
    finals = state.seal(START_MS + 5 * 365 * 86_400_000).boundaries
    assert 5 * 365 * 48 - 96 - 1 == len(finals)
    assert {0} == {boundary.pulses for boundary in finals.values()}
