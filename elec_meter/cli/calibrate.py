"""`elec-meter calibrate`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from elec_meter.errors import (
    MeterError,
    NotADataDirectoryError,
    NotAllowedError,
    RecordingError,
)
from elec_meter.front_end import PHASE_ALONE_MAX_URAD, PHASE_MAX_URAD
from shared.exact_json import exact_json
from shared.options import Duration, example

from .options import json_option, recording_options

if TYPE_CHECKING:
    from elec_meter.metrology import Derived, Observation
    from elec_meter.sampling import SampleBlock, SerialAfe

_LONGEST_NUMBER = 20
_BLOCKS_A_SECOND = 4
_file = click.Path(path_type=Path)


class Exactly(click.ParamType[Fraction]):
    """A decimal number, to its last digit."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Return the number."""
        if isinstance(value, Fraction):
            return value
        try:
            number = Decimal(value) if len(value) <= _LONGEST_NUMBER else Decimal("nan")
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or not -9 <= number.adjusted() <= 9:
            self.fail(f"{value!r} is no number such as 230.05", param, ctx)
        return Fraction(number)


class _Bench(NamedTuple):
    """What is the same for both recordings."""

    rate_hz: int | None
    bits: int | None
    nominal_hz: int


_PARAMETERS: list[click.Parameter] = [
    click.Argument(["recording"], type=_file, required=False),
    click.Option(
        ["--serial", "port"], metavar="PORT", help="Record a serial front end now, instead."
    ),
    click.Option(
        ["--for", "length"],
        type=Duration(),
        default="10s",
        show_default=True,
        help="How long to record it.",
    ),
    click.Option(["--no-load"], type=_file, metavar="FILE", help="A recording without a load."),
    click.Option(
        ["--nominal", "nominal_hz"],
        type=click.Choice(["50", "60"]),
        default="50",
        show_default=True,
        help="Frequency of the mains, Hz.",
    ),
    click.Option(["--voltage"], type=Exactly(), required=True, help="The reference's, V RMS."),
    click.Option(["--current"], type=Exactly(), required=True, help="The reference's, A RMS."),
    click.Option(["--power"], type=Exactly(), required=True, help="The reference's, W."),
    click.Option(["--reactive"], type=Exactly(), help="The reference's, var, inductive positive."),
    click.Option(["--leading"], is_flag=True, help="Without --reactive: the current leads."),
    click.Option(
        ["--phase-limit", "phase_limit_urad"],
        type=click.IntRange(0, PHASE_MAX_URAD),
        default=PHASE_ALONE_MAX_URAD,
        show_default=True,
        metavar="URAD",
        help="Without --reactive: the most that the front end's phase can be, microradians.",
    ),
    click.Option(
        ["--data", "data_dir"],
        type=_file,
        metavar="DIR",
        help="Write it into this meter, from its next start on.",
    ),
    click.Option(
        ["--new-front-end"],
        is_flag=True,
        help="It is another front end: gains may differ from those so far by more than a tenth.",
    ),
    click.Option(
        ["--link-fitted"], is_flag=True, help="The calibration link is fitted: level 4 is there."
    ),
]


@click.command(
    params=_PARAMETERS,
    epilog=example(
        "elec-meter calibrate load.npz --voltage 230.05 --current 10.002 --power 1151.3"
        " --reactive 1991.6",
        "elec-meter calibrate --serial /dev/ttyUSB0 --voltage 230.05 --current 10.002"
        " --power 1151.3 --data home --link-fitted",
    ),
)
@recording_options
@json_option
def command(
    recording: Path | None,
    port: str | None,
    length: timedelta,
    no_load: Path | None,
    rate_hz: int | None,
    bits: int | None,
    nominal_hz: str,
    voltage: Fraction,
    current: Fraction,
    power: Fraction,
    reactive: Fraction | None,
    leading: bool,
    phase_limit_urad: int,
    data_dir: Path | None,
    new_front_end: bool,
    link_fitted: bool,
    as_json: bool,
) -> None:
    """Derive gains, phase and offsets from a recording of counts and what a reference read.

    The load is steady and the readings are of the time of the recording. Results that no meter
    has, and readings that contradict each other or the recording, are refused.
    """
    from elec_meter.metrology import ReferenceReading, derive

    if (recording is None) == (port is None):
        raise click.UsageError("Give either RECORDING or --serial PORT.")
    if data_dir is not None:
        _refuse_meter(data_dir, link_fitted=link_fitted)
    bench = _Bench(rate_hz, bits, int(nominal_hz))
    load = _live(port, length, bench) if port is not None else _recorded(recording, bench)
    unloaded = None if no_load is None else _recorded(no_load, bench)
    reading = ReferenceReading(voltage, current, power, reactive, leading)
    derived = derive(load, reading, unloaded, phase_limit_urad=phase_limit_urad)
    number = None
    if data_dir is not None:
        number = _write(data_dir, derived, new_front_end=new_front_end)
    elif not new_front_end:
        _warn_of_another_front_end(derived)
    if as_json:
        told: dict[str, Any] = {"calibration": derived.integers(), "cycles": load.cycles}
        told |= {"phase_derived": derived.phase_derived, "configuration": number}
        click.echo(exact_json(told))
        return
    for line in _document(derived):
        click.echo(line)
    if number is not None:
        click.echo(f"# Configuration {number} of {data_dir} has it from the next start on.")


def _document(derived: Derived) -> Iterator[str]:
    """The part of the configuration document that it is."""
    yield "[calibration]"
    for name, value in derived.integers().items():
        yield f"{name} = {value}"
    if not derived.phase_derived:
        yield "# The phase takes --reactive, or a load with a power factor up to 0.95."


def _recorded(path: Path | None, bench: _Bench) -> Observation:
    from elec_meter.metrology import observe
    from elec_meter.sampling import Converter, RecordedSource

    assert path is not None  # the caller's usage error says so
    converter = None if bench.bits is None else Converter(bits=bench.bits)
    source = RecordedSource(path, rate_hz=bench.rate_hz, converter=converter)
    if not source.is_in_counts:
        raise RecordingError(f"{path.name} is in volts and amperes, and a calibration takes counts")
    return observe(
        source.blocks(source.rate_hz),
        rate_hz=source.rate_hz,
        bits=source.converter.bits,
        nominal_hz=bench.nominal_hz,
    )


def _live(port: str, length: timedelta, bench: _Bench) -> Observation:
    from elec_meter.metrology import observe
    from elec_meter.sampling import SerialAfe

    with SerialAfe(port) as front_end:
        seconds = length / timedelta(seconds=1)
        return observe(
            _first(front_end, round(seconds * front_end.rate_hz)),
            rate_hz=front_end.rate_hz,
            bits=bench.bits or front_end.bits,
            nominal_hz=bench.nominal_hz,
        )


def _first(front_end: SerialAfe, samples: int) -> Iterator[SampleBlock]:
    """Blocks of so many samples in all, or a few more."""
    taken = 0
    for block in front_end.blocks(front_end.rate_hz // _BLOCKS_A_SECOND):
        yield block
        taken += len(block)
        if taken >= samples:
            return


def _refuse_meter(data_dir: Path, *, link_fitted: bool) -> None:
    from elec_meter.storage import DATABASE_NAME

    if not link_fitted:
        raise NotAllowedError(
            "a calibration is written at level 4, which is there only while the calibration link"
            " is fitted: say --link-fitted"
        )
    if not (data_dir / DATABASE_NAME).is_file():
        raise NotADataDirectoryError(f"{data_dir} holds no meter's data")


def _warn_of_another_front_end(derived: Derived) -> None:
    """Nobody knows what the front end has been: that it is not as drawn may be right."""
    from elec_meter.metrology import Calibration
    from elec_meter.sampling import Converter

    try:
        derived.refuse_another_front_end(Calibration.for_converter(Converter(bits=derived.bits)))
    except MeterError as refusal:
        click.echo(f"Warning: {refusal}, or is it not the meter's own front end?", err=True)


def _write(data_dir: Path, derived: Derived, *, new_front_end: bool) -> int:
    """Have a meter that does not run begin with it; the number of its configuration."""
    from elec_meter import at_rest
    from elec_meter.access import Level
    from elec_meter.calibrated import FrontEnd, calibration_of
    from elec_meter.config import CalibrationConfig, MeterConfig
    from elec_meter.sampling import Converter
    from elec_meter.storage import Storage

    calibration = msgspec.convert(derived.integers(), CalibrationConfig)
    with Storage.open(data_dir) as storage:
        config = storage.load_config() or MeterConfig()
        if not new_front_end:
            front_end = FrontEnd(Converter(bits=derived.bits))
            derived.refuse_another_front_end(calibration_of(config.calibration, front_end))
        new = msgspec.structs.replace(config, calibration=calibration)
        written = at_rest.apply_config(storage, new, level=Level.FACTORY, author="a calibration")
    return written.number
