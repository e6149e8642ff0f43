"""What a pairing is given and gives: the label, the meter's particulars, the plan, the outcome."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Final

from shared.label import verify_check_character
from shared.units import PulseWeight
from shared.wire.address import is_serial
from shared.wire.oms import MANUFACTURER, MEDIUM_GAS

from .bearers.base import ReceivedFrame
from .dial import DialReading
from .entries import TelegramKey
from .errors import PairingError
from .fleet import UnitRecord
from .hearing import Heard
from .mprn import mprn_twice
from .signal import Signal

TEST_PULSES: Final = 3
FIRST_CHANNEL: Final = "gas"
"""What the first unit feeds, where nothing else is said."""

FLOW_MAX_L_H: Final = 6_000
"""Of a domestic gas meter (U6, G4), where nothing else is known."""

_WEIGHT_MIN_L: Final = Fraction(1, 1000)
_WEIGHT_MAX_L: Final = Fraction(100_000)
_HEX_KEY: Final = re.compile(r"[0-9A-F]{32}", re.ASCII)
_MANUFACTURER: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_METER_SERIAL: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDetails:
    """What an installer reads off a gas meter.

    Attributes:
        mprn: the meter point reference number; `meter_details` checks it.
        meter_serial: on the meter's badge.
        weight: what one pulse stands for, by the badge.
        dial: what the dial shows.
        has_turned_over: whether the dial has passed its end since an earlier reading.
    """

    mprn: str
    meter_serial: str
    weight: PulseWeight
    dial: DialReading
    has_turned_over: bool = False

    def __post_init__(self) -> None:
        if not _METER_SERIAL.fullmatch(self.meter_serial):
            raise PairingError("a meter's serial has 1 to 32 letters and digits, as on its badge")


def meter_details(
    mprns: tuple[str, str],
    meter_serial: str,
    weight: str,
    dial: str,
    dial_unit: str = "m3",
    *,
    has_turned_over: bool = False,
) -> MeterDetails:
    """What was typed, checked.

    Args:
        mprns: the meter point reference number, typed twice.
        meter_serial: as on the badge.
        weight: as on the badge: `0.01 m3`, `10 l/imp`, `1 ft3`.
        dial: the digits of the dial, with a point before the red ones.
        dial_unit: `m3`, `ft3` or `100ft3`.
        has_turned_over: whether the dial has passed its end since an earlier reading.

    Raises:
        PairingError: one of them cannot be; the class says which.
        UnitsError: the pulse weight is none.
    """
    return MeterDetails(
        mprn=mprn_twice(*mprns),
        meter_serial=" ".join(meter_serial.split()),
        weight=_weight(weight),
        dial=DialReading.parse(dial, dial_unit),
        has_turned_over=has_turned_over,
    )


def _weight(text: str) -> PulseWeight:
    weight = PulseWeight.parse(text)
    if not _WEIGHT_MIN_L <= weight.litres_per_pulse <= _WEIGHT_MAX_L:
        raise PairingError(f"no meter gives a pulse for {text.strip()}: it is 1 ml to 100 m3")
    return weight


def lowest_free_channel(taken: Collection[str]) -> str:
    """The first of gas, gas_2, gas_3 and so on that is free.

    Args:
        taken: names of channels that are not.
    """
    names = (FIRST_CHANNEL if number == 1 else f"{FIRST_CHANNEL}_{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def typed_identity(serial: str, key: str, *, needs_check: bool = True) -> tuple[str, bytes]:
    """Serial and key as typed from a label, each followed by its check character.

    Args:
        serial: 8 digits and their check character, blanks anywhere.
        key: 32 hexadecimal digits and their check character, likewise.
        needs_check: whether the check characters may be left out: by a script, by no person.

    Raises:
        LabelCheckError: one of them was misread.
        PairingError: one of them has another form. No message shows a key.
    """
    serial = _typed_part("serial", serial, 8, needs_check=needs_check)
    key = _typed_part("key", key, 32, needs_check=needs_check)
    if not is_serial(serial) or not _HEX_KEY.fullmatch(key):
        raise PairingError("a serial has decimal digits, and a key hexadecimal ones")
    return serial, bytes.fromhex(key)


def label_or_serial(text: str) -> str:
    """What was scanned of a label, or the serial that was typed in its place, checked.

    Raises:
        LabelCheckError: the serial was misread.
        PairingError: it has another form.
    """
    text = text.strip()
    if not is_label(text):
        _typed_part("serial", text, 8, needs_check=True)
    return text


def is_label(text: str) -> bool:
    """Whether a text is that of a label, and no serial."""
    return text.upper().startswith(MANUFACTURER)


def _typed_part(part: str, text: str, length: int, *, needs_check: bool) -> str:
    """A part of a label, without blanks and its check character."""
    text = "".join(text.upper().split())
    if len(text) == length + 1 and text[:length].isalnum():
        verify_check_character(part, text[:length], text[length])
    elif needs_check or len(text) != length:
        raise PairingError(
            f"a {part} has {length} digits and one more character behind them, as on the label"
        )
    return text[:length]


def other_identity(serial: str, key: str) -> tuple[str, bytes | None]:
    """Serial and key of another maker's meter; it has no check characters, and perhaps no key.

    Raises:
        PairingError: one of them has another form. No message shows a key.
    """
    serial, key = ("".join(text.upper().split()) for text in (serial, key))
    if not is_serial(serial):
        raise PairingError("a serial has 8 decimal digits")
    if key and not _HEX_KEY.fullmatch(key):
        raise PairingError("a key has 32 hexadecimal digits")
    return serial, bytes.fromhex(key) if key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingPlan:
    """What is known before a pairing begins.

    Attributes:
        channel: the channel that the unit will feed.
        taken: serials of the units that are paired now.
        ended: serials of units that fed a channel and never will again.
        weight: what a pulse of the channel stands for, where the unit is to go on in it; None
            where any weight will do.
        index: what the channel's dial should show at least, where it had a unit before; of the
            meter with the serial `index_meter`.
        index_meter: see there.
        test_pulses: how many pulses the test burn waits for; 0 leaves it out.
        any_telegram: whether a telegram that nobody asked for by the button is enough.
        max_flow_l_h: the meter's maximum flow.
        period_s: seconds from one telegram of the unit to the next.
        medium: as in `UnitRecord`, and so are the others.
        manufacturer: likewise.
        selector: likewise.
        allow_unauthenticated: likewise.

    Raises:
        PairingError: no maker has such a name.
    """

    channel: str = FIRST_CHANNEL
    taken: Collection[str] = ()
    ended: Collection[str] = ()
    weight: PulseWeight | None = None
    index: DialReading | None = None
    index_meter: str | None = None
    test_pulses: int = TEST_PULSES
    any_telegram: bool = False
    max_flow_l_h: int = FLOW_MAX_L_H
    period_s: int = 900
    medium: int = MEDIUM_GAS
    manufacturer: str = MANUFACTURER
    selector: str = "count"
    allow_unauthenticated: bool = False

    def __post_init__(self) -> None:
        if not _MANUFACTURER.fullmatch(self.manufacturer):
            raise PairingError("a maker has three capital letters, as in ELS")

    def refuse_other_weight(self, weight: PulseWeight) -> None:
        """Refuse a unit whose pulses the channel cannot go on counting.

        Raises:
            PairingError: its pulses have another weight.
        """
        if self.weight is not None and weight != self.weight:
            raise PairingError(
                f"the channel {self.channel} counts {self.weight} a pulse, and a unit of {weight}"
                " a pulse cannot go on in it"
            )

    @property
    def is_own(self) -> bool:
        """Whether it is a unit of ours, with a label and a button."""
        return self.manufacturer == MANUFACTURER


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOutcome:
    """What is to be committed, all of it or nothing.

    Attributes:
        record: the unit.
        key: its key; None if it has none.
        meter: the meter, with the dial as it was at the record's base count.
        base_key: the telegram that told the base count.
        frames: authentic ones received since, oldest first: their pulses belong to the channel.
        signal: how well it was heard.
        heard: the newest telegram.
        command_counter: of the last command that was sent to it, or that others must exceed.
        phased_ms: when it was told the phase, UNIX milliseconds; None if it was not.
        is_configured: whether it has taken weight and index; None if it could not be told.
        expected: what the dial should have shown at the newest telegram.
        test_pulses: how many pulses the test burn counted; None if there was none.
    """

    record: UnitRecord
    key: bytes | None
    meter: MeterDetails
    base_key: TelegramKey
    frames: tuple[ReceivedFrame, ...]
    signal: Signal
    heard: Heard
    command_counter: int
    phased_ms: int | None
    is_configured: bool | None
    expected: DialReading
    test_pulses: int | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.record.serial})"
