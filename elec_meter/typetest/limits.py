"""What the standards allow, in percent, for a meter of 5(100) A.

For a comparison: EN 50470-3:2006 (classes A, B, C), IEC 62053-22:2003 (0.2S, 0.5S), IEC
62053-21:2003 (1, 2) and IEC 62053-23:2003 (2 and 3 of reactive energy, which IEC 62053-24:2020
goes on with). All of them have these in their clause 8, as limits of error due to variation of the
current and due to influence quantities; IEC 62053-22:2020 has them in 7.9, table 3, and 7.10, table
4. The transitional current is 0.5 A, the basic and the nominal current 5 A.

Public sources confirm 2, 1 and 0.5 % for A, B and C and 1.5 % for class 1 at 0.25 A, both at PF 1.
The other numbers were not compared with the texts, which are sold.
"""

from __future__ import annotations

import math
from typing import Final

ACTIVE_CLASSES: Final = ("A", "B", "C", "0.2S", "0.5S", "1", "2")
REACTIVE_CLASSES: Final = ("var 2", "var 3")
CLASSES: Final = (*ACTIVE_CLASSES, *REACTIVE_CLASSES)

STARTING_A: Final = {
    "A": 0.025,
    "B": 0.02,
    "C": 0.02,
    "0.2S": 0.005,
    "0.5S": 0.005,
    "1": 0.02,
    "2": 0.025,
    "var 2": 0.025,
    "var 3": 0.05,
}
"""The current at which a meter of each class has to start.

EN 50470-3 and IEC 62053-21 and -23 for direct connection; IEC 62053-22 is for transformers only."""

Steps = tuple[tuple[float, float], ...]

_INDUCTIVE: Final = "PF 0.5 inductive"
_CAPACITIVE: Final = "PF 0.8 capacitive"
_LITTLE: Final = "PF 0.25 inductive"
_LEADING: Final = "PF 0.5 capacitive"

# Where a limit ends before 100 A: up to the basic current, and only where a user asks for it.
_UNTIL_A: Final = {("1", _LITTLE): 5.0, ("1", _LEADING): 5.0}

# By class and power factor: from which current on, A, which error is allowed, percent.
_BY_CURRENT: Final[dict[str, dict[str, Steps]]] = {
    "A": {
        "PF 1": ((0.25, 2.5), (0.5, 2.0)),
        _INDUCTIVE: ((0.5, 2.0),),
        _CAPACITIVE: ((0.5, 2.0),),
    },
    "B": {
        "PF 1": ((0.25, 1.5), (0.5, 1.0)),
        _INDUCTIVE: ((0.5, 1.0),),
        _CAPACITIVE: ((0.5, 1.0),),
    },
    "C": {
        "PF 1": ((0.15, 1.0), (0.5, 0.5)),
        _INDUCTIVE: ((0.5, 0.5),),
        _CAPACITIVE: ((0.5, 0.5),),
    },
    "0.2S": {
        "PF 1": ((0.05, 0.4), (0.25, 0.2)),
        _INDUCTIVE: ((0.1, 0.5), (0.5, 0.3)),
        _CAPACITIVE: ((0.1, 0.5), (0.5, 0.3)),
        _LITTLE: ((0.5, 0.5),),
        _LEADING: ((0.5, 0.5),),
    },
    "0.5S": {
        "PF 1": ((0.05, 1.0), (0.25, 0.5)),
        _INDUCTIVE: ((0.1, 1.0), (0.5, 0.6)),
        _CAPACITIVE: ((0.1, 1.0), (0.5, 0.6)),
        _LITTLE: ((0.5, 1.0),),
        _LEADING: ((0.5, 1.0),),
    },
    "1": {
        "PF 1": ((0.25, 1.5), (0.5, 1.0)),
        _INDUCTIVE: ((0.5, 1.5), (1.0, 1.0)),
        _CAPACITIVE: ((0.5, 1.5), (1.0, 1.0)),
        _LITTLE: ((1.0, 3.5),),
        _LEADING: ((1.0, 2.5),),
    },
    "2": {
        "PF 1": ((0.25, 2.5), (0.5, 2.0)),
        _INDUCTIVE: ((0.5, 2.5), (1.0, 2.0)),
    },
    "var 2": {
        "sin 1": ((0.25, 2.5), (0.5, 2.0)),
        "sin 0.5": ((0.5, 2.5), (1.0, 2.0)),
        "sin 0.25": ((1.0, 2.5),),
    },
    "var 3": {
        "sin 1": ((0.25, 4.0), (0.5, 3.0)),
        "sin 0.5": ((0.5, 4.0), (1.0, 3.0)),
        "sin 0.25": ((1.0, 4.0),),
    },
}

# By influence: how far it may move the error, in the order of ACTIVE_CLASSES; None: not tested.
_BY_INFLUENCE: Final[dict[str, tuple[float | None, ...]]] = {
    "voltage, PF 1": (1.0, 0.7, 0.2, 0.1, 0.2, 0.7, 1.0),
    "voltage, PF 0.5 inductive": (1.5, 1.0, 0.4, 0.2, 0.4, 1.0, 1.5),
    "frequency, PF 1": (0.8, 0.5, 0.2, 0.1, 0.2, 0.5, 0.8),
    "frequency, PF 0.5 inductive": (1.0, 0.7, 0.2, 0.1, 0.2, 0.7, 1.0),
    "fifth harmonic": (1.0, 0.8, 0.5, 0.4, 0.5, 0.8, 1.0),
    "half-wave": (6.0, 3.0, 1.5, None, None, 3.0, 6.0),
    "fired at 90 degrees": (6.0, 3.0, 1.5, None, None, 3.0, 6.0),
    "two cycles on, two off": (6.0, 3.0, 1.5, 0.6, 1.5, 3.0, 6.0),
}
# Likewise, in the order of REACTIVE_CLASSES.
_BY_REACTIVE_INFLUENCE: Final[dict[str, tuple[float, ...]]] = {
    "voltage, sin 1": (1.0, 2.0),
    "voltage, sin 0.5": (1.5, 3.0),
    "frequency, sin 1": (2.5, 2.5),
    "frequency, sin 0.5": (2.5, 2.5),
}


def steps_of(class_name: str, kind: str) -> Steps:
    """From which current on, A, a class allows which error, percent; nothing where it has none."""
    return _BY_CURRENT[class_name].get(kind, ())


def limit_percent(class_name: str, kind: str, current_a: float) -> float | None:
    """What a class allows in a test; None where it says nothing.

    Args:
        class_name: one of `CLASSES`.
        kind: a power factor such as "PF 1", a sine such as "sin 0.5", or an influence.
        current_a: the test's current, up to 100 A.
    """
    if class_name in ACTIVE_CLASSES and kind in _BY_INFLUENCE:
        return _BY_INFLUENCE[kind][ACTIVE_CLASSES.index(class_name)]
    if class_name in REACTIVE_CLASSES and kind in _BY_REACTIVE_INFLUENCE:
        return _BY_REACTIVE_INFLUENCE[kind][REACTIVE_CLASSES.index(class_name)]
    if current_a > _UNTIL_A.get((class_name, kind), math.inf):
        return None
    allowed = [percent for from_a, percent in steps_of(class_name, kind) if current_a >= from_a]
    return allowed[-1] if allowed else None
