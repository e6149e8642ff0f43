"""An installer at a terminal, or a script in an installer's place, over a line to a station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import click

from shared.errors import SharedError

from .cli_line import Line
from .errors import CollectorError, IndexLowerError, PairingError, StorageFailedError
from .particulars import FIRST_CHANNEL, is_label, label_or_serial

_POLL_S: Final = 0.25
_WAITING: Final = ("signal", "setting", "test_burn")
_STRONG_DBM: Final = -50
_WEAK_DBM: Final = -105
_BARS: Final = "▁▂▃▄▅▆▇█"

_Value = TypeVar("_Value")


@dataclass(slots=True)
class InstallerAnswers:
    """What was said on the command line; None has to be asked for.

    Attributes:
        label: the text of a label.
        serial: the unit's, with `key` instead of a label.
        key: see there; a meter of another maker may have none.
        manufacturer: its maker, where it is no unit of ours.
        medium: what it counts; None is gas.
        record: which record is its count.
        allow_unauthenticated: whether telegrams are taken that prove nothing.
        period_s: seconds from one of its telegrams to the next.
        mprn: the meter point reference number.
        meter_serial: on the meter's badge.
        weight: of a pulse, by the badge.
        dial: what the dial shows.
        dial_unit: m3, ft3 or 100ft3.
        turned_over: whether the dial has passed its end.
        installer: who does it.
        channel: what the unit feeds; None: `gas` for a script, at a terminal the lowest channel
            without a unit.
        exchanges: the unit whose place or meter it takes.
        test_pulses: of the test burn.
        any_telegram: whether the unit's button need not be pressed.
        max_flow_l_h: the meter's; None for that of the unit to exchange, or a domestic one's.
        agrees: whether the index is taken as expected.
    """

    label: str | None = None
    serial: str | None = None
    key: str | None = None
    manufacturer: str | None = None
    medium: str | None = None
    record: str | None = None
    allow_unauthenticated: bool = False
    period_s: int = 900
    mprn: str | None = None
    meter_serial: str | None = None
    weight: str | None = None
    dial: str | None = None
    dial_unit: str | None = None
    turned_over: bool = False
    installer: str | None = None
    channel: str | None = None
    exchanges: str | None = None
    test_pulses: int = 3
    any_telegram: bool = False
    max_flow_l_h: int | None = None
    agrees: bool = False

    def missing(self, *, takes_key: bool) -> list[str]:
        """The options that a script lacks.

        Args:
            takes_key: whether the command takes a serial and a key in place of a label.
        """
        identity: dict[str, str | bool | None] = {"--label": self.label}
        if takes_key:
            identity = {"--label, or --serial and --key": self.label or (self.serial and self.key)}
        if self.manufacturer is not None:
            identity = {
                "--serial": self.serial,
                "--key": self.key or self.allow_unauthenticated,
            }
        needed = {
            **identity,
            "--mprn": self.mprn,
            "--meter-serial": self.meter_serial,
            "--weight": self.weight,
            "--dial": self.dial,
            "--yes": self.agrees or not self.test_pulses,
        }
        return [option for option, value in needed.items() if not value]

    def begin(self) -> dict[str, Any]:
        """The request that begins."""
        label = {"label": self.label} if self.label else {"serial": self.serial, "key": self.key}
        return {
            "request": "pair.begin",
            **label,
            "manufacturer": self.manufacturer,
            "medium": self.medium,
            "record": self.record,
            "allow_unauthenticated": self.allow_unauthenticated,
            "period_s": self.period_s,
            "channel": self.channel,
            "exchanges": self.exchanges,
            "test_pulses": self.test_pulses,
            "any_telegram": self.any_telegram,
            "max_flow_l_h": self.max_flow_l_h,
        }

    def meter(self) -> dict[str, Any]:
        """The request that tells the meter's particulars."""
        return {
            "request": "pair.meter",
            "mprn": self.mprn,
            "meter_serial": self.meter_serial,
            "weight": self.weight,
            "dial": self.dial,
            "dial_unit": self.dial_unit or "m3",
            "turned_over": self.turned_over,
        }


def install_by_script(line: Line, given: InstallerAnswers) -> dict[str, Any]:
    """Go through a pairing without a question; return what `pair.commit` replied.

    Nobody is there to say whether a unit is to be another's neighbour or its successor, so none is
    put beside another unless the script names the channel.

    Raises:
        CollectorError: it was refused, or the unit was not heard; nothing was kept.
        SharedError: likewise, for a label or a number that is none.
    """
    if given.exchanges is None and not given.channel:
        given = replace(given, channel=FIRST_CHANNEL)
    line.ask(given.begin())
    _awaited(line, lambda _: None)
    line.ask(given.meter())
    status = _awaited(line, lambda _: None)
    if status["state"] == "confirm" and given.test_pulses:
        line.ask({"request": "pair.confirm", "agrees": True})
    return _committed(line, given)


def install_at_terminal(line: Line, given: InstallerAnswers) -> dict[str, Any]:
    """Go through a pairing with an installer; return what `pair.commit` replied.

    Raises:
        click.Abort: the installer gave up; nothing was kept.
        CollectorError: nothing can be done about it here; nothing was kept.
    """
    given = replace(given)  # what is typed is filled in
    while True:
        _begin(line, given)
        try:
            _watched(line, "listening")
            _tell_meter(line, given)
            break
        except _EndedError as error:
            _say_advice(error.advice)
            click.confirm("Try again?", default=True, abort=True)
    try:
        while _watched(line, "test burn")["state"] == "confirm":
            if _confirmed(line):
                break
            given.dial = None
            _tell_meter(line, given)
    except _EndedError as error:
        _say_advice(error.advice)
        raise PairingError("no pulses came: nothing was kept") from None
    if given.installer is None:
        given.installer = click.prompt("Installer", default="", show_default=False)
    while True:
        try:
            return _committed(line, given)
        except StorageFailedError as error:
            click.echo(f"Nothing was kept: {error}.")
            click.confirm("Try again?", default=True, abort=True)


class _EndedError(PairingError):
    """The wait was over.

    Example scenarios: the unit's button was not pressed; its key is another's.
    """

    def __init__(self, status: dict[str, Any]) -> None:
        self.advice: list[str] = status["advice"] or ["the time is over"]
        super().__init__(f"{status['serial']} was not paired: {'; '.join(self.advice)}")


def _begin(line: Line, given: InstallerAnswers) -> None:
    while True:
        _ask_identity(given)
        try:
            status = line.ask({**given.begin(), "typed": True})
        except (CollectorError, SharedError) as error:
            click.echo(f"That is refused: {error}.")
            given.label = given.serial = given.key = None
            continue
        click.echo(f"The unit is {status['serial']}.")
        if given.channel is None and given.exchanges is None:
            _propose(given, status["channel"])
        if given.manufacturer is None:
            click.echo("Press the unit's button, or swipe the magnet along its mark.")
        return


def _propose(given: InstallerAnswers, channel: str) -> None:
    """Take a free channel; one beside units that are there already on the installer's word alone.

    Raises:
        click.Abort: the unit is to take the place of another.
    """
    if channel != FIRST_CHANNEL:
        click.echo("A unit that takes the place of another is exchanged, and not paired beside it.")
        click.confirm(f"Pair this one to the channel {channel}?", default=True, abort=True)
    given.channel = channel


def _ask_identity(given: InstallerAnswers) -> None:
    """Ask for what of a label is not given yet; what is typed is not shown: a key is in it."""
    if given.manufacturer is not None:
        if given.serial is None:
            given.serial = click.prompt("Serial of the meter, 8 digits").strip()
        if given.key is None:
            none = "" if given.allow_unauthenticated else None
            question = "Key" if none is None else "Key, empty if it has none"
            given.key = click.prompt(
                f"{question} (not shown)", hide_input=True, default=none, show_default=False
            )
        return
    if given.label is None and given.serial is None:
        question = "Scan the label, or type its serial and check character (not shown)"
        text = _asked(question, label_or_serial, hide_input=True)
        if is_label(text):
            given.label = text
        else:
            given.serial, given.key = text, None
    if given.label is None and given.key is None:
        given.key = click.prompt("Key, with its check character (not shown)", hide_input=True)


def _tell_meter(line: Line, given: InstallerAnswers) -> None:
    """Ask for the meter's particulars until they are taken."""
    from shared.units import PulseWeight

    from .dial import DialReading
    from .mprn import mprn, mprn_twice

    while given.mprn is None:
        first = _asked("MPRN (on the gas bill)", mprn)
        try:
            given.mprn = mprn_twice(first, click.prompt("MPRN once more"))
        except PairingError as error:
            click.echo(f"{_sentence(error)}")
    if given.meter_serial is None:
        given.meter_serial = click.prompt("Serial on the meter's badge")
    if given.weight is None:
        given.weight = _typed("One pulse is (on the badge)", "0.01 m3", PulseWeight.parse)
    if given.dial_unit is None:
        given.dial_unit = click.prompt(
            "The dial counts (beside its digits)",
            type=click.Choice(["m3", "ft3", "100ft3"]),
            default="m3",
        )
    unit = given.dial_unit
    while True:
        if given.dial is None:
            given.dial = _typed(
                "The dial shows (all its digits, with a point before the red ones, as 01234.567)",
                None,
                lambda text: DialReading.parse(text, unit),
            )
        try:
            line.ask(given.meter())
            return
        except IndexLowerError as error:
            click.echo(f"{_sentence(error)}")
            given.turned_over = click.confirm("Has the dial turned over?", default=False)
            given.dial = given.dial if given.turned_over else None
        except (CollectorError, SharedError) as error:
            click.echo(f"That is refused: {error}.")
            given.dial = None
            given.meter_serial = click.prompt("Serial on the meter's badge")


def _confirmed(line: Line) -> bool:
    status = line.ask({"request": "pair.status"})
    agrees = True
    if status["test_pulses_wanted"]:
        click.echo(f"{status['test_pulses']} pulses came.")
        question = f"Does the dial show {status['expected']}, or up to one pulse more?"
        agrees = click.confirm(question, default=None)
    line.ask({"request": "pair.confirm", "agrees": agrees})
    return agrees


def _committed(line: Line, given: InstallerAnswers) -> dict[str, Any]:
    reply = line.ask({"request": "pair.commit", "installer": given.installer or ""})
    document: dict[str, Any] = reply["certificate"]
    return document


def _awaited(line: Line, show: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Wait until the session waits for a person; return its status.

    Raises:
        _EndedError: it has ended.
    """
    while True:
        status = line.ask({"request": "pair.status"})
        show(status)
        if status["state"] == "ended":
            raise _EndedError(status)
        if status["state"] not in _WAITING:
            return status
        line.sleep(_POLL_S)


def _watched(line: Line, what: str) -> dict[str, Any]:
    """As `_awaited`, with a live picture of the signal."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(console=console, refresh_per_second=8, transient=True) as live:

        def show(status: dict[str, Any]) -> None:
            lines = [_signal_line(what, status), *(f"  {each}" for each in status["advice"])]
            live.update(Text("\n".join(lines)))

        status = _awaited(line, show)
    click.echo(_signal_line("heard", status))
    return status


def _signal_line(what: str, status: dict[str, Any]) -> str:
    rssi = status["rssi_dbm"]
    bar = "" if rssi is None else f", {rssi} dBm {_bar(rssi)}"
    left = "" if status["left_s"] is None else f", {status['left_s']} s left"
    burn = ""
    if status["state"] == "test_burn":
        burn = f", pulse {status['test_pulses']} of {status['test_pulses_wanted']}"
    heard = f"{status['of_unit']} of {status['frames']} frames are the unit's"
    return f"{status['serial']} {what}: {heard}{bar}{burn}{left}"


def _bar(rssi_dbm: int) -> str:
    place = (rssi_dbm - _WEAK_DBM) * len(_BARS) // (_STRONG_DBM - _WEAK_DBM)
    return _BARS[: max(1, min(len(_BARS), place))]


def _asked(question: str, check: Callable[[str], _Value], *, hide_input: bool = False) -> _Value:
    while True:
        try:
            return check(click.prompt(question, hide_input=hide_input))
        except (CollectorError, SharedError) as error:
            click.echo(_sentence(error))


def _typed(question: str, default: str | None, check: Callable[[str], object]) -> str:
    """What was typed, once it passes the check."""

    def checked(text: str) -> str:
        check(text)
        return text

    while True:
        try:
            return checked(click.prompt(question, default=default))
        except (CollectorError, SharedError) as error:
            click.echo(_sentence(error))


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _say_advice(advice: list[str]) -> None:
    for each in advice:
        click.echo(f"  {each}")
