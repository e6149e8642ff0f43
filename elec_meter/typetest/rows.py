"""The rows of the type test: what is tested, at which loads, and what our meter may be wrong by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

from elec_meter.metrology import Flags
from elec_meter.typetest.limits import CLASSES, limit_percent
from elec_meter.typetest.limits import STARTING_A as CLASS_STARTING_A
from elec_meter.typetest.waves import REFERENCE_V, Shape, SteadyWave

CURRENT_MAX_A: Final = 100.0
STARTING_A: Final = 0.02
STARTING_RATIO: Final = 1.2

_SMALL_A: Final = (0.02, 0.05, 0.07, 0.099)
_UNITY_A: Final = (0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0, CURRENT_MAX_A)
_SHIFTED_A: Final = (0.25, 0.5, 1.0, 5.0, 20.0, 60.0, CURRENT_MAX_A)
_INFLUENCED_A: Final = (0.5, 5.0, CURRENT_MAX_A)
_FREQUENCIES_HZ: Final = (45, 47, 49, 50, 51, 53, 55, 60, 65)
_HALF: Final = math.acos(0.5)
_CLEAN: Final = Flags(0)


class Quantity(Enum):
    """What a row is about."""

    ACTIVE = "error of active energy, percent"
    REACTIVE = "error of reactive energy, percent"
    CHANGE = "change of the error of active energy, percent"
    REACTIVE_CHANGE = "change of the error of reactive energy, percent"
    START = "time to the first pulse, as a multiple of the theoretical"
    NO_LOAD = "pulses"


@dataclass(frozen=True, slots=True)
class Point:
    """One load.

    Attributes:
        wave: what is measured.
        reference: what its error is compared with, where a change is asked for.
        flags: what the meter has to say of it; anything else, or nothing, is a failure.
    """

    wave: SteadyWave
    reference: SteadyWave | None = None
    flags: Flags = _CLEAN


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        name: what is tested.
        kind: by which the standards' limits are found.
        quantity: what is measured.
        limits: what our meter may be wrong by, with converters of 16 and of 24 bits.
        points: the loads; the worst of them counts.
    """

    name: str
    kind: str
    quantity: Quantity
    limits: tuple[float, float]
    points: tuple[Point, ...]

    def limit(self, bits: int) -> float:
        """What a meter with converters of 16 or 24 bits may be wrong by."""
        return self.limits[bits > 16]

    def class_limits(self) -> dict[str, float | None]:
        """The tightest limit of each class at any of the points; None where it has none."""
        tightest: dict[str, float | None] = {}
        for name in CLASSES:
            limits = [limit_percent(name, self.kind, each.wave.current_a) for each in self.points]
            tightest[name] = min((each for each in limits if each is not None), default=None)
        return tightest


def _loads(currents: tuple[float, ...], lag_rad: float = 0.0) -> tuple[Point, ...]:
    return tuple(Point(SteadyWave(current_a, lag_rad)) for current_a in currents)


def _reactive(sine: float, frequencies_hz: tuple[int, ...] = _FREQUENCIES_HZ) -> tuple[Point, ...]:
    """Both kinds, both directions of active energy, at all frequencies; at 50 Hz all currents."""
    lags = sorted({math.asin(sine), -math.asin(sine), math.pi - math.asin(sine)})
    at_5_a = [
        SteadyWave(5.0, lag_rad, frequency_hz=frequency_hz)
        for frequency_hz in frequencies_hz
        for lag_rad in lags
    ]
    return tuple(Point(wave) for wave in at_5_a) + _loads(_SHIFTED_A, math.asin(sine))


def _voltages(lag_rad: float) -> tuple[Point, ...]:
    return tuple(
        Point(SteadyWave(current_a, lag_rad, voltage_v), SteadyWave(current_a, lag_rad))
        for current_a in _INFLUENCED_A
        for voltage_v in (0.9 * REFERENCE_V, 1.1 * REFERENCE_V)
    )


def _frequencies(lag_rad: float) -> tuple[Point, ...]:
    return tuple(
        Point(SteadyWave(current_a, lag_rad, frequency_hz=hz), SteadyWave(current_a, lag_rad))
        for current_a in _INFLUENCED_A
        for hz in (49, 51)
    )


def _half_waves() -> tuple[Point, ...]:
    """Of the larger one the mean is more than a quarter of full scale, and flagged."""
    small, large = (SteadyWave(current_a, shape=Shape.HALF_WAVE) for current_a in (5, 100))
    return Point(small), Point(large, flags=Flags.DC)


def _shaped(shape: Shape, *currents: float) -> tuple[Point, ...]:
    return tuple(Point(SteadyWave(current_a, shape=shape)) for current_a in currents)


_ACTIVE, _CHANGE = Quantity.ACTIVE, Quantity.CHANGE
_REACTIVE, _REACTIVE_CHANGE = Quantity.REACTIVE, Quantity.REACTIVE_CHANGE
_UNITY, _INDUCTIVE, _CAPACITIVE = "PF 1", "PF 0.5 inductive", "PF 0.8 capacitive"
_LITTLE, _LEADING = "PF 0.25 inductive", "PF 0.5 capacitive"

ROWS: Final = (
    Row("0.02-0.1 A, PF 1", _UNITY, _ACTIVE, (0.2, 0.02), _loads(_SMALL_A)),
    Row("0.1-100 A, PF 1", _UNITY, _ACTIVE, (0.05, 0.05), _loads(_UNITY_A)),
    Row("0.1-100 A, PF 1, export", _UNITY, _ACTIVE, (0.05, 0.05), _loads(_UNITY_A, math.pi)),
    Row(f"0.25-100 A, {_INDUCTIVE}", _INDUCTIVE, _ACTIVE, (0.1, 0.1), _loads(_SHIFTED_A, _HALF)),
    Row(
        f"0.25-100 A, {_CAPACITIVE}",
        _CAPACITIVE,
        _ACTIVE,
        (0.1, 0.1),
        _loads(_SHIFTED_A, -math.acos(0.8)),
    ),
    Row(
        f"0.25-100 A, {_LITTLE}", _LITTLE, _ACTIVE, (0.1, 0.1), _loads(_SHIFTED_A, math.acos(0.25))
    ),
    Row(f"0.25-100 A, {_LEADING}", _LEADING, _ACTIVE, (0.1, 0.1), _loads(_SHIFTED_A, -_HALF)),
    Row("reactive, sin 1, 45-65 Hz", "sin 1", _REACTIVE, (0.1, 0.1), _reactive(1.0)),
    Row("reactive, sin 0.5, 45-65 Hz", "sin 0.5", _REACTIVE, (0.1, 0.1), _reactive(0.5)),
    Row(
        "reactive, sin 0.25, 45-65 Hz",
        "sin 0.25",
        _REACTIVE,
        (0.1, 0.1),
        _reactive(0.25, (45, 50, 65)),
    ),
    Row("fifth harmonic", "fifth harmonic", _ACTIVE, (0.1, 0.1), _shaped(Shape.FIFTH, 5, 50)),
    Row("half-wave", "half-wave", _ACTIVE, (0.1, 0.1), _half_waves()),
    Row(
        "odd harmonics, fired at 90 degrees",
        "fired at 90 degrees",
        _ACTIVE,
        (0.1, 0.1),
        _shaped(Shape.FIRED, 5, 50),
    ),
    Row(
        "sub-harmonics, two cycles on, two off",
        "two cycles on, two off",
        _ACTIVE,
        (0.1, 0.1),
        _shaped(Shape.BURSTS, 5, 50),
    ),
    Row("voltage +-10 %, PF 1", "voltage, PF 1", _CHANGE, (0.05, 0.05), _voltages(0.0)),
    Row(
        f"voltage +-10 %, {_INDUCTIVE}",
        f"voltage, {_INDUCTIVE}",
        _CHANGE,
        (0.05, 0.05),
        _voltages(_HALF),
    ),
    Row("frequency +-2 %, PF 1", "frequency, PF 1", _CHANGE, (0.05, 0.05), _frequencies(0.0)),
    Row(
        f"frequency +-2 %, {_INDUCTIVE}",
        f"frequency, {_INDUCTIVE}",
        _CHANGE,
        (0.05, 0.05),
        _frequencies(_HALF),
    ),
    *(
        Row(
            f"reactive, {what}, {kind}",
            f"{influence}, {kind}",
            _REACTIVE_CHANGE,
            (0.05, 0.05),
            points,
        )
        for kind, lag_rad in (("sin 1", math.pi / 2), ("sin 0.5", math.asin(0.5)))
        for what, influence, points in (
            ("voltage +-10 %", "voltage", _voltages(lag_rad)),
            ("frequency +-2 %", "frequency", _frequencies(lag_rad)),
        )
    ),
    Row(
        "starting current 0.02 A",
        "start",
        Quantity.START,
        (STARTING_RATIO, STARTING_RATIO),
        (Point(SteadyWave(STARTING_A)), Point(SteadyWave(STARTING_A, math.pi))),
    ),
    Row(
        "starting current 0.02 A, reactive",
        "start",
        Quantity.START,
        (STARTING_RATIO, STARTING_RATIO),
        tuple(Point(SteadyWave(STARTING_A, sign * math.pi / 2)) for sign in (1, -1)),
    ),
    Row(
        "no load at 115 % of voltage",
        "no load",
        Quantity.NO_LOAD,
        (0.0, 0.0),
        (Point(SteadyWave(0.0, voltage_v=1.15 * REFERENCE_V)),),
    ),
)

CURVES: Final = tuple(
    row for row in ROWS if row.quantity is Quantity.ACTIVE and row.kind.startswith("PF")
)
"""The rows whose errors are drawn against the current."""

NOT_CLAIMED: Final = tuple(name for name in CLASSES if CLASS_STARTING_A[name] < STARTING_A)
"""Classes whose starting current our meter does not have, whatever its errors are."""
