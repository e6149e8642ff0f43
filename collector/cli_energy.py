"""`collector energy` and `collector calorific`: what gas is worth."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from shared.options import example

from .cli_options import channel_option, csv_option, data_option, json_option

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    epilog=example(
        "collector energy --data gas --from 2026-03-01 --to 2026-03-31",
        "collector energy --data gas --from 2026-03-01 --to 2026-03-31 --bill --json",
    )
)
@data_option
@channel_option
@click.option("--from", "begin", type=_DAY, help="The first day (that of the first half-hour).")
@click.option("--to", "end", type=_DAY, help="The last day (the newest).")
@click.option("--bill", "as_bill", is_flag=True, help="By the Regulations, of whole gas days.")
@json_option
@csv_option
def command(
    data_dir: Path,
    channel: str,
    begin: datetime | None,
    end: datetime | None,
    as_bill: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show gas energy: pulses, exact volume and Wh of each settlement day, or of a bill."""
    from shared.timegrid import DAY_S, from_unix_s, settlement_day_start, settlement_period, unix_s

    from .cli_show import opened_views, print_rows
    from .views import day_rows

    with opened_views(data_dir) as (views, now):
        first_s, _ = views.span_s(channel, now)
        first = settlement_period(from_unix_s(first_s)).settlement_date
        first = first if begin is None else begin.date()
        last = views.newest_day(channel, now) if end is None else end.date()
        from_s = unix_s(settlement_day_start(first))
        # A gas day ends at 05:00 of the next.
        to_s = unix_s(settlement_day_start(last)) + (2 if as_bill else 1) * DAY_S + 3600
        rows = views.period(channel, from_s, to_s, now)
        energy = views.energy(channel)
        if as_bill:
            shown = [_bill(energy.bill((row.volume for row in rows), first, last), first, last)]
        else:
            by_day = day_rows(channel, energy, rows)
            shown = [row for row in by_day if row["settlement_date"] <= last.isoformat()]
    print_rows(shown, as_json=as_json, as_csv=as_csv)


@click.group()
def calorific() -> None:
    """Keep calorific values, and a channel's correction."""


@calorific.command("set", epilog=example("collector calorific set 2026-04-01 39.5 --data gas"))
@click.argument("from_day", metavar="YYYY-MM-DD", type=_DAY)
@click.argument("mj_m3", metavar="MJ_M3")
@data_option
def set_value(from_day: datetime, mj_m3: str, data_dir: Path) -> None:
    """Keep a calorific value in MJ/m3, from a gas day on; `none` forgets it."""
    value = None if mj_m3 == "none" else mj_m3
    day = from_day.date().isoformat()
    _order(data_dir, {"request": "calorific.set", "from": day, "mj_m3": value})


@calorific.command("show", epilog=example("collector calorific show --data gas"))
@data_option
@channel_option
@json_option
def show(data_dir: Path, channel: str, as_json: bool) -> None:
    """Show the calorific values and the channel's correction."""
    from .certificate import exact_number
    from .cli_show import print_json
    from .storage.directory import DataDirectory
    from .storage.pairings import Pairings

    with DataDirectory.read(data_dir) as directory:
        pairings = Pairings(directory.connection)
        values = pairings.calorific_values()
        correction = pairings.correction(channel)
    from shared.units import GAS_CORRECTION

    factor = exact_number(GAS_CORRECTION if correction is None else correction)
    shown = {day.isoformat(): exact_number(value) for day, value in values.items()}
    if as_json:
        print_json({"channel": channel, "correction": factor, "values": shown})
        return
    click.echo(f"correction of {channel}: {factor}")
    for day, value in shown.items():
        click.echo(f"from {day}: {value} MJ/m3")


@calorific.command(
    "correction", epilog=example("collector calorific correction 1.02264 --data gas")
)
@click.argument("factor", metavar="FACTOR")
@data_option
@channel_option
def set_correction(factor: str, data_dir: Path, channel: str) -> None:
    """Keep a channel's factor from metered to standard volume (of houses 1.02264)."""
    order = {"request": "calorific.correction", "channel": channel, "factor": factor}
    _order(data_dir, order)


def _order(data_dir: Path, request: dict[str, Any]) -> None:
    """Have it kept by the collector that runs there; else here, and no time passes for units."""
    from .errors import DirectoryInUseError
    from .orders import keep_calorific
    from .storage.directory import DataDirectory
    from .storage.pairings import Pairings

    DataDirectory.read(data_dir).close()
    try:
        directory = DataDirectory.open(data_dir)
    except DirectoryInUseError:
        from .ports.line import ControlLine

        with ControlLine(data_dir) as line:
            line.ask(request)
        return
    with directory, directory.transaction():
        pairings = Pairings(directory.connection)
        pairings.make()
        keep_calorific(pairings, request)


def _bill(bill: Any, first: date, last: date) -> dict[str, Any]:
    from .certificate import exact_number
    from .dial import decimal_text, whole_decimal

    return {
        "first_gas_day": first.isoformat(),
        "last_gas_day": last.isoformat(),
        "volume_m3": decimal_text(bill.volume_l / 1000),
        "calorific_value_mj_m3": exact_number(bill.calorific_value_mj_m3),
        "energy_kwh": whole_decimal(bill.energy_wh, -3),
    }
