"""What is worth a line in the event log, of units and of bearers: a kind, a sentence, its subject.

The log is for people; only the kind is for programs. It is the class of what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.timegrid import iso_utc

from . import events
from .bearers import reports
from .bearers.reports import BearerReport
from .events import Event, Refusal

_READINGS: Final = (events.TelegramReceived, events.CountReceived, events.StateReceived)
# Any neighbour's radio and any noise brings these; they are counted.
_EVERYDAY: Final = (events.BadCrc, events.Replayed, events.NoCount)


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the event log.

    Attributes:
        at: when it happened.
        kind: the name of a class of `collector.events` or `collector.bearers.reports`.
        text: a sentence without its end.
        serial: the unit that it is about, if it is about one.
        bearer: likewise.
        mark: what makes it the same as another of its kind and subject.
        family: kinds of which each says how its subject stands until another does; else empty.
    """

    at: datetime
    kind: str
    text: str
    serial: str | None = None
    bearer: str | None = None
    mark: str = ""
    family: str = ""


def note_of(event: Event) -> Note | None:
    """The line for something that happened to a unit; None for readings and everyday refusals."""
    if isinstance(event, (*_READINGS, *_EVERYDAY)):
        return None
    if isinstance(event, events.UnknownUnit):
        return _note_of_stranger(event)
    text = sentence_of(event)
    # What a frame was refused for may be another number each time.
    mark = "" if isinstance(event, Refusal) else text
    return Note(event.received_utc, type(event).__name__, text, event.serial, None, mark)


def _note_of_stranger(event: events.UnknownUnit) -> Note | None:
    """One line for all units that are not paired; None where a frame names no sender."""
    if event.serial is None:
        return None
    # It names none: the one that is being paired is among them.
    text = "telegrams of units that are not paired here, which collector scan lists"
    return Note(event.received_utc, "UnknownUnit", text)


def note_of_report(report: BearerReport) -> Note | None:
    """The line for something that happened to a bearer; None for what was asked for and came."""
    kind, bearer, family = type(report).__name__, report.bearer, ""
    serial: str | None = None
    match report:
        case reports.BearerLost() | reports.BearerFailed():
            text, family = report.sentence, "device"
        case reports.BearerWorks():
            text, family = f"{bearer} works", "device"
        case reports.UnitUnreached():
            text, serial = report.sentence, report.unit
        case reports.LogUnanswered():
            text, serial = report.sentence, report.serial
        case reports.UnitPaired():
            serial = report.serial
            text = f"the unit {serial} and this computer have paired"
        case reports.CommandAnswered():
            serial, family = report.serial, "command"
            text = f"the unit {serial} has obeyed"
            if not report.is_obeyed:
                text = f"the unit {serial} has not obeyed: {report.sentence}"
        case _:
            return None
    return Note(report.at_utc, kind, text, serial, bearer, text, family)


def note_of_setting(before: datetime, now: datetime) -> Note:
    """The line for a host's clock that was set."""
    way = "back" if now < before else "forward"
    text = f"this computer's clock was set {way}, from {iso_utc(before)} to {iso_utc(now)}"
    return Note(now, "ClockSet", text, mark=text)


def sentence_of(event: Event) -> str:
    """What happened to a unit, for people; nothing in it is secret."""
    unit = event.serial or "a frame"
    match event:
        case events.TelegramReceived():
            strength = "" if event.rssi_dbm is None else f", {event.rssi_dbm} dBm"
            return f"{unit} count {event.telegram.count}{strength}"
        case events.CountReceived():
            strength = "" if event.rssi_dbm is None else f", {event.rssi_dbm} dBm"
            return f"{unit} count {event.count}{strength}"
        case Refusal():
            return f"{unit} refused: {event.reason}"
        case events.UnitSilent():
            return f"{unit} silent since {iso_utc(event.heard_utc)}"
        case events.LogRead():
            return f"{unit} log read, {event.entries} entries"
        case events.LogRefused():
            return f"{unit} log refused: {event.reason}"
    return f"{unit} {_words(type(event).__name__)}"


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
