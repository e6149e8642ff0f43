"""An installer's steps at a meter that runs: `elec-meter control pair`, `exchange`, `unpair`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from collector import label_of, label_option, step_options
from elec_meter.errors import ControlError, MeterError, PairingRefusedError
from shared.exact_json import exact_json
from shared.options import example

from .options import data_option, json_option
from .ordering import new_key, order

_give_up_option = click.option(
    "--give-up-other", is_flag=True, help="Give up a pairing that is under way there already."
)


@click.command("pair", epilog=example("elec-meter control pair --label unit.label --data home"))
@click.option(
    "--channel",
    metavar="NAME",
    help="What it feeds. [default: gas; at a terminal the lowest that is free]",
)
@label_option
@step_options
@_give_up_option
@data_option
@json_option
def pair(data_dir: Path, as_json: bool, channel: str | None, **options: Any) -> None:
    """Pair a gas unit with the meter: label, signal, gas meter, test burn.

    With --json nothing is asked.
    """
    _install(data_dir, options, as_json=as_json, channel=channel)


@click.command(
    "exchange",
    epilog=example("elec-meter control exchange 00000001 --label unit.label --data home"),
)
@click.argument("old", metavar="SERIAL")
@label_option
@step_options
@_give_up_option
@data_option
@json_option
def exchange(old: str, data_dir: Path, as_json: bool, **options: Any) -> None:
    """Give the channel of the unit SERIAL another unit; its register goes on.

    With --json nothing is asked.
    """
    _install(data_dir, options, as_json=as_json, exchanges=old)


@click.command("unpair", epilog=example("elec-meter control unpair 00000001 --data home"))
@click.argument("serial")
@click.option("--yes", "agrees", is_flag=True, help="Do not ask.")
@data_option
@json_option
def unpair(serial: str, agrees: bool, data_dir: Path, as_json: bool) -> None:
    """End what the pulse unit SERIAL feeds: what it counted stays in its channel's register.

    It does not come back to this meter. `exchange` gives its place to another in one step.
    """
    from elec_meter.control import UnpairUnit

    if not agrees and not as_json:
        _require_unit(data_dir, serial)
        click.confirm(f"Unpair the unit {serial} for good?", abort=True)
    reply = order(data_dir, UnpairUnit(serial=serial, key=new_key()))
    if as_json:
        click.echo(exact_json(reply))
        return
    click.echo(f"{reply['channel']} has no unit now; it has counted {reply['pulses']} pulses.")


def _require_unit(data_dir: Path, serial: str) -> None:
    """Refuse a unit that feeds nothing, before anybody is asked about it.

    Raises:
        MeterError: no meter runs there, or it has no such unit.
    """
    from elec_meter.control import GetStatus

    from .observed import observed

    order(data_dir, GetStatus())
    with observed(data_dir) as seen:
        seen.meter.channel_fed_by(serial)


class PairingLine:
    """The pairing desk of a meter that runs, as the collector's steps know it.

    Args:
        data_dir: where the meter lives.

    Attributes:
        pairing: the token of the pairing that began on this line and has not come to its end on
            it, which all its steps name; None for none.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.pairing: str | None = None

    def ask(self, step: dict[str, Any]) -> dict[str, Any]:
        """The reply to a step.

        Raises:
            PairingError: it is refused; another label or dial may do.
            MeterError: nothing will do.
        """
        from collector import PairingError
        from elec_meter.control import TakePairingStep

        named = {"pairing": self.pairing, **step} if step["request"] != "pair.begin" else step
        given = {name: value for name, value in named.items() if value is not None}
        try:
            reply = order(self._data_dir, TakePairingStep(step=given))
        except PairingRefusedError as error:
            raise PairingError(str(error)) from None
        if step["request"] == "pair.begin":
            self.pairing = reply["pairing"]
        elif step["request"] in ("pair.commit", "pair.cancel"):
            self.pairing = None
        return reply

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        import time

        time.sleep(seconds)


def _end_other(line: PairingLine, *, as_json: bool, gives_up: bool) -> None:
    """Give up a pairing that is under way there, at the word of who sits here.

    Raises:
        ControlError: nobody is asked, and nobody has said so.
        MeterError: no meter runs there.
        click.Abort: it goes on.
    """
    from collector import PairingError

    try:
        status = line.ask({"request": "pair.status"})
    except PairingError:
        return  # there was none
    if status["state"] in ("paired", "ended"):
        return
    sentence = f"a pairing of the unit {status['serial']} is under way"
    if as_json and not gives_up:
        raise ControlError(f"{sentence}: --give-up-other gives it up")
    if not gives_up:
        click.confirm(f"A{sentence[1:]}. Give it up?", abort=True)
    line.ask({"request": "pair.cancel", "pairing": status["pairing"]})


@contextmanager
def _line(data_dir: Path, **other: bool) -> Iterator[PairingLine]:
    """A line on which a pairing that does not come to its end is given up."""
    from collector import CollectorError

    line = PairingLine(data_dir)
    _end_other(line, **other)
    with _interrupted_by(signal.SIGHUP, signal.SIGTERM):
        try:
            yield line
        finally:
            if line.pairing is not None:
                with suppress(MeterError, CollectorError):
                    line.ask({"request": "pair.cancel"})


@contextmanager
def _interrupted_by(*numbers: signal.Signals) -> Iterator[None]:
    """Take these signals as Ctrl-C, once, for as long as the context lasts."""

    def interrupt(_number: int, _frame: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # a terminal that is closed tells it twice
        raise KeyboardInterrupt

    heeded = [each for each in numbers if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, interrupt) for each in heeded}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _install(data_dir: Path, options: dict[str, Any], *, as_json: bool, **place: Any) -> None:
    from collector import InstallerAnswers, install_at_terminal, install_by_script

    label_file, gives_up = options.pop("label_file"), options.pop("give_up_other")
    label = None if label_file is None else label_of(label_file)
    given = InstallerAnswers(label=label, **options, **place)
    missing = given.missing(takes_key=False)
    if as_json and missing:
        raise click.UsageError(f"--json asks nothing, so it needs {', '.join(missing)}.")
    with _line(data_dir, as_json=as_json, gives_up=gives_up) as line:
        done = (install_by_script if as_json else install_at_terminal)(line, given)
    if as_json:
        click.echo(exact_json(done))
        return
    what = f"took the place of {done['replaces']} on" if done["replaces"] else "is paired to"
    click.echo(
        f"The unit {done['serial']} {what} {done['channel']}; its pulses count from"
        f" {done['count']} on."
    )
