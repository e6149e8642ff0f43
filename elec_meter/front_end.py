"""What any meter's front end can be: wherever a calibration is made, stored or used.

Attributes:
    PHASE_MAX_URAD: the most by which a current channel lags or leads. Transformers that bear a
        direct current have the most, up to 90 mrad; beyond it, a conductor is turned round.
    PHASE_ALONE_MAX_URAD: the most that a reading of power alone is believed about it: a misread
        power looks like a phase. A shunt has next to none, a current transformer of class 0.2 at
        most 10 minutes of arc (2.9 mrad, IEC 61869-2 at the rated current), and filters of unequal
        parts have one or two mrad.
    OFFSET_MAX_UW: the most that the channels make of each other without a load, uW and uvar.
"""

from __future__ import annotations

from typing import Final

PHASE_MAX_URAD: Final = 100_000
PHASE_ALONE_MAX_URAD: Final = 5_000
OFFSET_MAX_UW: Final = 5_000_000

_PER_UNIT: Final = 10**12
_REACHES: Final = (("voltage", "V", 100, 2_000), ("current", "A", 1, 2_000))


def unlikely_reach(
    *, bits: int, voltage_pv_per_count: int, current_pa_per_count: int
) -> str | None:
    """What is wrong with the full scale of a front end; None if it is that of a meter.

    Args:
        bits: width of the converters.
        voltage_pv_per_count: picovolts that a count of voltage stands for.
        current_pa_per_count: picoamperes that a count of current stands for.
    """
    gains = voltage_pv_per_count, current_pa_per_count
    for gain, (name, unit, least, most) in zip(gains, _REACHES, strict=True):
        reach = gain << (bits - 1)
        if not least * _PER_UNIT <= reach <= most * _PER_UNIT:
            return (
                f"the {name} channel reaches to {reach / _PER_UNIT:.4g} {unit}, and no meter's is"
                f" outside {least} to {most} {unit}"
            )
    return None
