"""The command `pulse-unit battery`: how long a battery lasts, and what its charge goes to."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from pulse_unit.cli.sources import CELL_OF_BOARD, CELLS, Cell
from pulse_unit.cli.values import METER, Whole, write_new

if TYPE_CHECKING:
    from pulse_unit.cli.budget import Budget, Conditions

_EXAMPLES = """\b
Examples:
  pulse-unit battery
  pulse-unit battery --telegram-period 900
  pulse-unit battery --weight 1l --telegram-period 900
  pulse-unit battery --board esp32 --cell d -o battery.svg
"""
_CAPACITY_MAX_AH: Final = 1_000
_BAR_WIDTH: Final = 16
_TABLE_WIDTH: Final = 60  # without its bars
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


class _CellChoice(click.ParamType[Cell]):
    """A size of cell, or a capacity in Ah."""

    name = "cell"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Cell:
        """Return the cell, or fail as a usage error."""
        if isinstance(value, Cell):
            return value
        text = str(value).lower()
        if text in CELLS:
            return CELLS[text]
        capacity_ah = _decimal(text.removesuffix("ah"))
        if capacity_ah is None or not Decimal("0.01") <= capacity_ah <= _CAPACITY_MAX_AH:
            self.fail(f"a cell is {', '.join(CELLS)} or a capacity such as 8.5Ah.", param, ctx)
        return Cell(f"a cell of {capacity_ah} Ah", int(capacity_ah * 1_000), "as given")


class _Percent(click.ParamType[Decimal]):
    """A share such as 30%, or 0.3."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Return it in percent, or fail as a usage error."""
        text = str(value)
        share = _decimal(text.removesuffix("%"))
        if share is not None and not text.endswith("%"):
            share *= 100
        if share is None or not 0 <= share <= 100:
            self.fail("a share is 0% to 100%, or 0 to 1 without the sign: 30% is 0.3.", param, ctx)
        return share


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


_OPTIONS: Final = (
    click.option(
        "--board",
        type=click.Choice(tuple(CELL_OF_BOARD)),
        default="stm32wb",
        show_default=True,
        help="Whose figures; one on the mains has none.",
    ),
    click.option(
        "--cell",
        type=_CellChoice(),
        metavar="aa|2aa|c|d|AH",
        help="Li-SOCl2; if left out aa, and d for esp32.",
    ),
    click.option(
        "--pulses-per-month",
        type=Whole(0, 5_000_000),
        metavar="N",
        default=20_000,
        show_default=True,
        help="A month has 30 days.",
    ),
    click.option(
        "--closed-share",
        type=_Percent(),
        metavar="PERCENT",
        default="30%",
        show_default=True,
        help="Share of the time that the reed rests closed.",
    ),
    click.option(
        "--advert-period",
        type=Whole(0, 3_600),
        metavar="S",
        help="Between adverts; 0 for none. 60 if left out, and none with telegrams.",
    ),
    click.option(
        "--telegram-period",
        type=Whole(0, 86_400),
        metavar="S",
        default=0,
        show_default=True,
        help="Between telegrams; 0 for none.",
    ),
    click.option(
        "--window-period",
        type=Whole(0, 604_800),
        metavar="S",
        help="Between windows of connectable adverts; 0 for none. 14400 if left out and there are"
        " adverts.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    click.option(
        "-o",
        "--output",
        "path",
        type=click.Path(dir_okay=False),
        metavar="FILE.svg",
        help="Draw it too.",
    ),
    click.option("--force", is_flag=True, help="Replace the file if there is one."),
)


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(epilog=_EXAMPLES, params=list(METER))
@_asked
def battery(
    weight_nl: int,
    flow_max_m3_h: float,
    board: str,
    cell: Cell | None,
    pulses_per_month: int,
    closed_share: Decimal,
    advert_period: int | None,
    telegram_period: int,
    window_period: int | None,
    as_json: bool,
    path: str | None,
    force: bool,
) -> None:
    """Say how long a battery lasts, what its charge goes to and what would shorten that.

    If nothing else is asked: the battery target on one AA cell, with an advert a minute. The
    figures are derived from data sheets and from what the firmware does, and not measured.
    """
    from pulse_unit.cli.budget import Budget, Conditions

    if path is not None and not path.endswith(".svg"):
        raise click.UsageError("A picture of a battery is an SVG: give a name that ends in .svg.")
    if 0 < telegram_period < 10:
        raise click.UsageError("Telegrams leave every 10 to 86,400 seconds.")
    if window_period is not None and 0 < window_period < 60:
        raise click.UsageError("Connectable windows open every 60 to 604,800 seconds.")
    if advert_period is None:
        advert_period = 0 if telegram_period else 60
    if window_period is None:
        window_period = 14_400 if advert_period else 0
    conditions = Conditions(
        board=board,
        cell=cell or CELLS[CELL_OF_BOARD[board]],
        pulses_per_month=pulses_per_month,
        closed_percent=closed_share,
        advert_period_s=advert_period,
        telegram_period_s=telegram_period,
        window_period_s=window_period,
        sample_interval_ms=_sample_interval_ms(weight_nl, flow_max_m3_h),
    )
    budget = Budget(conditions.figures, conditions.plan)
    if path is not None:
        _draw(budget, conditions, path, force)
    if as_json:
        from shared.exact_json import exact_json

        click.echo(exact_json(_told(budget, conditions), indent=2))
    else:
        _print(budget, conditions)


def _sample_interval_ms(weight_nl: int, flow_max_m3_h: float) -> int:
    """How often a parked reed of a meter is looked at; 0 where it is never parked."""
    from pulse_unit.config import UnitConfig
    from pulse_unit.errors import ConfigError
    from pulse_unit.reed import sample_interval_ms

    flow_max_l_per_h = round(flow_max_m3_h * 1_000)
    try:
        UnitConfig(pulse_weight_nl=weight_nl, flow_max_l_per_h=flow_max_l_per_h)
    except ConfigError as error:
        raise click.ClickException(f"{error}.") from error
    return sample_interval_ms(weight_nl, flow_max_l_per_h)


def _draw(budget: "Budget", conditions: "Conditions", path: str, force: bool) -> None:
    from pulse_unit.cli.picture import budget_svg

    title = f"{conditions.board} on {conditions.cell.name}"
    write_new(path, budget_svg(budget, title), force=force)


def _told(budget: "Budget", conditions: "Conditions") -> dict[str, object]:
    """The budget as JSON."""
    from pulse_unit.cli.budget import GOAL_YEARS, average_ua, shortened
    from pulse_unit.cli.sources import COUNTED, MEASURED, SOURCES

    shorter = [{"change": change, "years": years} for change, years in shortened(conditions)]
    sources = SOURCES[conditions.board]
    return {
        "board": conditions.board,
        "cell": {
            "name": conditions.cell.name,
            "capacity_ah": Decimal(conditions.cell.capacity_mah) / 1_000,
            "usable_percent": conditions.usable_percent,
            "self_discharge_percent_a": Decimal(conditions.self_discharge_permille) / 10,
            "source": conditions.cell.source,
        },
        "pulses_per_month": conditions.pulses_per_month,
        "closed_percent": conditions.closed_percent,
        "sample_interval_ms": conditions.sample_interval_ms,
        "advert_period_s": conditions.advert_period_s,
        "telegram_period_s": conditions.telegram_period_s,
        "window_period_s": conditions.window_period_s,
        "measured": MEASURED,
        "terms": [
            {
                "name": term.name,
                "counts": COUNTED[term.per],
                "times_per_day": term.times,
                "each_nc": term.each_nc,
                "average_ua": average_ua(term.day_nc),
                "day_mc": Decimal(term.day_nc) / 1_000_000,
                "share_percent": budget.percent(term),
                "source": sources[term.name],
            }
            for term in budget.terms
        ],
        "average_ua": budget.average_ua,
        "years": budget.years,
        "goal_years": GOAL_YEARS,
        "goal_ua": budget.goal_ua,
        "reaches_goal": budget.reaches_goal,
        "wear": _told_wear(conditions),
        "shortens": shorter,
        "shortens_most": shorter[0],
    }


def _told_wear(conditions: "Conditions") -> dict[str, object]:
    from pulse_unit.cli.budget import GOAL_YEARS
    from pulse_unit.cli.sources import ENDURANCE
    from pulse_unit.cli.wear import wear_of

    wear = wear_of(conditions)
    endurance, source = ENDURANCE[conditions.board]
    return {
        "years": GOAL_YEARS,
        "store_page_erases": wear.store_erases,
        "log_page_erases": wear.log_erases,
        "endurance_erases": endurance,
        "source": source,
    }


def _print(budget: "Budget", conditions: "Conditions") -> None:
    """The budget for people."""
    from rich.console import Console

    from pulse_unit.cli.sources import SOURCES

    console = Console(highlight=False)
    console.width = max(console.width, _TABLE_WIDTH)
    own_lines = not console.is_terminal  # a line that is piped stays one
    for line in _heading(conditions):
        console.print(line, soft_wrap=own_lines)
    console.print(_table(budget, min(_BAR_WIDTH, console.width - _TABLE_WIDTH - 2)))
    for line in (
        *_verdict(budget, conditions),
        "Where the figures are from (estimates are derived; none is measured):",
        *(f"  {term.name}: {SOURCES[conditions.board][term.name]}" for term in budget.terms),
        f"  cell: {conditions.cell.source}",
    ):
        console.print(line, soft_wrap=own_lines)


def _heading(now: "Conditions") -> list[str]:
    rhythm = [
        f"{what} every {period_s} s"
        for what, period_s in (
            ("an advert", now.advert_period_s),
            ("connectable", now.window_period_s),
            ("a telegram", now.telegram_period_s),
        )
        if period_s
    ]
    cell = f"{Decimal(now.cell.capacity_mah) / 1000} Ah, {now.usable_percent} % usable"
    lost = f"{Decimal(now.self_discharge_permille) / 10} % self-discharge a year"
    reed = f"reed closed {now.closed_percent.normalize():f} % of the time"
    if not now.sample_interval_ms:
        reed += " and never parked"
    return [
        f"{now.board} on {now.cell.name}, Li-SOCl2: {cell}, {lost}",
        f"{now.pulses_per_month:,} pulses a month, {reed}, {', '.join(rhythm) or 'nothing sent'}",
    ]


def _table(budget: "Budget", bar_width: int) -> Any:
    from rich.table import Table

    from pulse_unit.cli.budget import average_ua
    from pulse_unit.cli.sources import COUNTED

    table = Table(box=None, show_footer=True)
    table.add_column("takes charge", "all of it", no_wrap=True)
    table.add_column("a day", no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("µA", f"{budget.average_ua:.2f}", no_wrap=True, justify="right")
    whole = f"{Decimal(budget.day_nc) / 1_000_000:.1f}"
    table.add_column("mC a day", whole, no_wrap=True, justify="right")
    table.add_column("%", "100.0", no_wrap=True, justify="right")
    if bar_width > 0:
        table.add_column("", no_wrap=True)
    widest = max(term.day_nc for term in budget.terms)
    for term in budget.terms:
        bar = "█" * -(-term.day_nc * bar_width // widest)
        table.add_row(
            term.name,
            f"{term.times:,}",
            COUNTED[term.per],
            f"{average_ua(term.day_nc):.2f}",
            f"{Decimal(term.day_nc) / 1_000_000:.1f}",
            f"{budget.percent(term)}",
            *([bar] if bar_width > 0 else []),
        )
    return table


def _verdict(budget: "Budget", conditions: "Conditions") -> list[str]:
    from pulse_unit.cli.budget import GOAL_YEARS, shortened
    from pulse_unit.cli.sources import ENDURANCE
    from pulse_unit.cli.wear import wear_of

    wear = wear_of(conditions)
    stored, logged = f"{wear.store_erases:,} times", f"{wear.log_erases:,} times"
    erased = f"each page of the store is erased {stored} and each of the log {logged}"
    endurance, _ = ENDURANCE[conditions.board]
    reached = "and lasts" if budget.reaches_goal else "but lasts"
    allowed = f"It may take {budget.goal_ua:.2f} µA for {GOAL_YEARS} years"
    changes = [f"  {years:>5} years with {change}" for change, years in shortened(conditions)]
    return [
        f"{allowed}, takes {budget.average_ua:.2f} µA {reached} {budget.years} years.",
        f"In {GOAL_YEARS} years {erased}; the flash stands {endurance:,}.",
        "What would shorten that:",
        *changes,
    ]
