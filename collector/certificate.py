"""What an installer leaves behind: a record of a pairing as JSON, and as a page to print.

No key and no passkey is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from html import escape
from typing import Any, Final

from shared.timegrid import LONDON, from_unix_ms, iso_utc
from shared.units import PulseWeight

from .dial import DialReading, decimal_text
from .events import CountReceived, TelegramReceived
from .hearing import Heard
from .particulars import PairingOutcome
from .segments import Segment

_HEADINGS: Final = {
    "pairing": "Gas unit paired",
    "exchange": "Gas unit or meter exchanged",
    "unpairing": "Gas unit unpaired",
}
_LEFT_MAX_D: Final = 0xFFFE  # what a unit says of that many days or more: it has mains
_STYLE: Final = (
    "body{font:15px/1.4 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.4em}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.25em .5em;border-bottom:1px solid #bbb}"
    "th{font-weight:normal;color:#444;width:14em}td{font-variant-numeric:tabular-nums}"
    ".sign{margin-top:3em;border-top:1px solid;width:18em;padding-top:.3em}"
    "@media print{body{margin:0}}"
)


def exact_number(number: Fraction) -> int | Decimal | str:
    """A number for JSON: whole, with all its decimals, or as the text of a fraction."""
    text = decimal_text(number)
    if "/" in text:
        return text
    return int(text) if number.denominator == 1 else Decimal(text)


def paired(
    outcome: PairingOutcome,
    *,
    made: datetime,
    installer: str,
    offset_l: Fraction,
    unmetered_l: Fraction,
    replaces: dict[str, Any] | None,
) -> dict[str, Any]:
    """The certificate of a pairing or, where it replaces something, an exchange.

    Args:
        outcome: what was committed.
        made: when.
        installer: whoever did it.
        offset_l: litres on the dial that are not in the channel's register.
        unmetered_l: litres that passed since the end of what it replaces.
        replaces: as of `ended`; None where nothing was there.
    """
    record, meter, signal, heard = outcome.record, outcome.meter, outcome.signal, outcome.heard
    return {
        "kind": "pairing" if replaces is None else "exchange",
        "made": iso_utc(made),
        "installer": installer,
        "channel": record.channel,
        "unit": {
            "serial": record.serial,
            "manufacturer": record.manufacturer,
            "battery_left_d": _battery_left_d(heard),
            "error_flags": _error_flags(heard),
            "authenticated": not record.allow_unauthenticated,
        },
        "meter": {
            "mprn": meter.mprn,
            "serial": meter.meter_serial,
            "pulse_weight_l": exact_number(meter.weight.litres_per_pulse),
            "max_flow_l_h": record.max_flow_l_h,
        },
        "index": {
            "dial": str(meter.dial),
            "litres": exact_number(meter.dial.litres),
            "count": record.base_count,
            "at": iso_utc(record.paired_utc),
            "dial_offset_l": exact_number(offset_l),
            "unmetered_l": exact_number(unmetered_l),
        },
        "test_burn": _test_burn(outcome),
        "signal": {
            "bearer": heard.bearer,
            "rssi_dbm": signal.rssi_dbm,
            "rssi_best_dbm": signal.rssi_best_dbm,
            "telegrams": signal.accepted,
            "damaged": signal.damaged,
        },
        "settings": {
            "phase_told": _instant(outcome.phased_ms),
            "configured": outcome.is_configured,
        },
        "replaces": replaces,
    }


def ended(segment: Segment, register: int, dial: DialReading | None = None) -> dict[str, Any]:
    """What is said of a unit on a meter that it leaves.

    Args:
        segment: the unit on the meter.
        register: the unit's, at its end.
        dial: what the dial was read to show; what it should show otherwise.
    """
    final = segment.dial_at(register)
    return {
        "unit": segment.serial,
        "mprn": segment.mprn,
        "meter": segment.meter_serial,
        "pulses": segment.pulses(register),
        "final_index": str(final),
        "final_litres": exact_number(final.litres),
        "dial_read": None if dial is None else str(dial),
    }


def certificate_html(document: dict[str, Any]) -> str:
    """The certificate as a page of its own, to print."""
    heading = _HEADINGS.get(document["kind"], document["kind"])
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>\n"
        for name, value in _lines(document)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f"<title>Certificate {document['certificate']}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(heading)}</h1>\n<table>\n{rows}</table>\n"
        '<p class="sign">Installer\'s signature</p></body></html>\n'
    )


def certificate_lines(document: dict[str, Any]) -> list[tuple[str, str]]:
    """The certificate as names and values for people."""
    return list(_lines(document))


def _lines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    made = datetime.fromisoformat(document["made"])
    yield "Certificate", str(document["certificate"])
    yield "Made", f"{made.astimezone(LONDON):%d %B %Y %H:%M %Z} ({document['made']})"
    yield "Installer", document["installer"] or "not given"
    yield "Channel", document["channel"]
    if "unit" in document:
        yield from _paired_lines(document)
    replaced = document["replaces"]
    if replaced is not None:
        yield "Unit that ended", replaced["unit"]
        yield "on meter", f"{replaced['meter']}, MPRN {replaced['mprn']}"
        yield "Its final index", f"{replaced['final_index']} after {replaced['pulses']} pulses"
        if replaced["dial_read"] is not None:
            yield "Dial then", replaced["dial_read"]


def _paired_lines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    unit, meter, index = document["unit"], document["meter"], document["index"]
    signal, burn, settings = document["signal"], document["test_burn"], document["settings"]
    strength = "" if signal["rssi_dbm"] is None else f", {signal['rssi_dbm']} dBm"
    yield "Unit", f"{unit['manufacturer']} {unit['serial']}"
    if unit["battery_left_d"] is not None:
        left_d = unit["battery_left_d"]
        yield "Battery", f"{left_d} days left" if left_d < _LEFT_MAX_D else "none that runs down"
    if not unit["authenticated"]:
        yield "Security", "its telegrams prove nothing: no MAC"
    yield "MPRN", meter["mprn"]
    yield "Meter", meter["serial"]
    yield "Pulse weight", str(PulseWeight(Fraction(str(meter["pulse_weight_l"]))))
    yield "Index", f"{index['dial']} at count {index['count']}, {index['at']}"
    if index["unmetered_l"]:
        yield "Not counted before", f"{index['unmetered_l']} l"
    if burn is None:
        yield "Test burn", "none"
    else:
        yield "Test burn", f"{burn['pulses']} pulses; the dial showed {burn['expected']}"
    yield "Signal", f"{signal['bearer']}{strength}; {signal['telegrams']} telegrams"
    yield "Half-hours told", settings["phase_told"] or "not yet"
    told = {
        True: "taken by the unit",
        False: "not taken by the unit",
        None: "the unit cannot be told",
    }
    yield "Weight and index", told[settings["configured"]]


def _battery_left_d(heard: Heard) -> int | None:
    return heard.telegram.battery_left_d if isinstance(heard, TelegramReceived) else None


def _error_flags(heard: Heard) -> int | None:
    return heard.error_flags if isinstance(heard, CountReceived) else heard.telegram.error_flags


def _test_burn(outcome: PairingOutcome) -> dict[str, Any] | None:
    if outcome.test_pulses is None:
        return None
    return {"pulses": outcome.test_pulses, "expected": str(outcome.expected)}


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(from_unix_ms(at_ms))
