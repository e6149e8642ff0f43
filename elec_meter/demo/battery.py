"""The battery of the demo's gas unit, in numbers for a picture."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pulse_unit.cli.budget import Budget, Conditions, average_ua
from pulse_unit.cli.sources import CELL_OF_BOARD, CELLS
from pulse_unit.config import WEIGHT_10_L_NL
from pulse_unit.reed import sample_interval_ms

BOARDS = tuple(CELL_OF_BOARD)
"""The boards that have a battery."""

_PULSES_PER_MONTH = 20_000
_CLOSED_PERCENT = 30
_ADVERT_PERIOD_S = 60
_WINDOW_PERIOD_S = 14_400
_FLOW_MAX_L_PER_H = 6_000


class BatteryTerm(NamedTuple):
    """What takes charge.

    Attributes:
        name: for people.
        current_ua: its average.
        percent: its share.
    """

    name: str
    current_ua: Decimal
    percent: Decimal


class BatteryTerms(NamedTuple):
    """A battery and everything that takes charge from it.

    Attributes:
        title: whose it is.
        years: how long a new one lasts.
        average_ua: all terms together.
        goal_ua: what 20 years allow.
        terms: each.
    """

    title: str
    years: Decimal
    average_ua: Decimal
    goal_ua: Decimal
    terms: tuple[BatteryTerm, ...]


def battery_terms(board: str, telegram_period_s: int) -> BatteryTerms:
    """As `pulse-unit battery` has them for a meter of a pulse for 10 litres.

    Args:
        board: one of `BOARDS`.
        telegram_period_s: seconds between telegrams; 0 for adverts instead.
    """
    cell = CELLS[CELL_OF_BOARD[board]]
    conditions = Conditions(
        board=board,
        cell=cell,
        pulses_per_month=_PULSES_PER_MONTH,
        closed_percent=Decimal(_CLOSED_PERCENT),
        advert_period_s=0 if telegram_period_s else _ADVERT_PERIOD_S,
        telegram_period_s=telegram_period_s,
        window_period_s=0 if telegram_period_s else _WINDOW_PERIOD_S,
        sample_interval_ms=sample_interval_ms(WEIGHT_10_L_NL, _FLOW_MAX_L_PER_H),
    )
    budget = Budget(conditions.figures, conditions.plan)
    terms = tuple(
        BatteryTerm(term.name, average_ua(term.day_nc), budget.percent(term))
        for term in budget.terms
    )
    title = f"{board} on {cell.name}"
    return BatteryTerms(title, budget.years, budget.average_ua, budget.goal_ua, terms)
