"""Objects of the mains: energy registers with their rates, and the quantities of the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from elec_meter.config.tariff import MAX_BLOCKS
from elec_meter.ledger import energy_key
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.sources import Sources

if TYPE_CHECKING:
    from elec_meter.ledger import ProfileRow
    from elec_meter.metrology import Quantities

_WH: Final = ScalerUnit(0, Unit.WATT_HOUR)
_VARH: Final = ScalerUnit(0, Unit.VAR_HOUR)
_MAKERS_E: Final = 128
"""Groups E from here on are a maker's (IEC 62056-6-1, 7.4)."""


class EnergyChannel(NamedTuple):
    """An energy channel of the ledger, and group C of its codes."""

    name: str
    c: int
    title: str
    scaler_unit: ScalerUnit = _WH

    @property
    def key(self) -> str:
        """The key of its deltas."""
        return energy_key(self.name)


ACTIVE: Final = (
    EnergyChannel("import", 1, "Active import"),
    EnergyChannel("export", 2, "Active export"),
)
REACTIVE: Final = tuple(
    EnergyChannel(f"reactive_q{q}", 4 + q, f"Reactive Q{q}", _VARH) for q in range(1, 5)
)
"""By quadrant, anticlockwise (IEC 62053-23): import and inductive, export and Q above zero, ..."""

ENERGY_CHANNELS: Final = (*ACTIVE, *REACTIVE)
"""Those of the ledger, in its order."""


class EnergySum(NamedTuple):
    """One energy channel or the sum of two, and group C of its codes."""

    parts: tuple[EnergyChannel, ...]
    c: int
    title: str

    @property
    def scaler_unit(self) -> ScalerUnit:
        """What its parts are counted in."""
        return self.parts[0].scaler_unit

    @property
    def in_row(self) -> Callable[[ProfileRow], int | None]:
        """Reads what a row has of it; None for a row of gas alone."""
        first, *others = (each.key for each in self.parts)
        if not others:
            return lambda row: row.deltas.get(first)
        keys = (first, *others)

        def summed(row: ProfileRow) -> int | None:
            known = [each for key in keys if (each := row.deltas.get(key)) is not None]
            return sum(known) if known else None

        return summed


REACTIVE_SUMS: Final = (
    EnergySum(REACTIVE[:2], 3, "Reactive import"),
    EnergySum(REACTIVE[2:], 4, "Reactive export"),
)
"""Q+ and Q-, of the quadrants I and II, III and IV (IEC 62056-6-1, table of group C)."""

PERIOD_ENERGIES: Final = (
    *(EnergySum((each,), each.c, each.title) for each in ACTIVE),
    *REACTIVE_SUMS,
    *(EnergySum((each,), each.c, each.title) for each in REACTIVE),
)
"""What can be read of a row of energy, by group C."""


class _Quantity(NamedTuple):
    obis: str
    name: str
    of: Callable[[Quantities], float]
    scaler_unit: ScalerUnit


_W: Final = ScalerUnit(0, Unit.WATT)
_VAR: Final = ScalerUnit(0, Unit.VAR)
_VA: Final = ScalerUnit(0, Unit.VOLT_AMPERE)

# Groups 3 and 4 are the two signs of reactive power, 9 and 10 apparent power while importing and
# exporting (IEC 62056-6-1, table of group C).
_QUANTITIES: Final = (
    _Quantity("1-0:1.7.0", "Active import power", lambda live: max(live.power_w, 0.0), _W),
    _Quantity("1-0:2.7.0", "Active export power", lambda live: max(-live.power_w, 0.0), _W),
    _Quantity("1-0:16.7.0", "Active power, import less export", lambda live: live.power_w, _W),
    _Quantity(
        "1-0:3.7.0", "Reactive power, inductive", lambda live: max(live.reactive_var, 0.0), _VAR
    ),
    _Quantity(
        "1-0:4.7.0", "Reactive power, capacitive", lambda live: max(-live.reactive_var, 0.0), _VAR
    ),
    _Quantity("1-0:9.7.0", "Apparent import power", lambda live: _apparent(live, 1), _VA),
    _Quantity("1-0:10.7.0", "Apparent export power", lambda live: _apparent(live, -1), _VA),
    _Quantity("1-0:32.7.0", "Voltage", lambda live: live.v_rms_v, ScalerUnit(-2, Unit.VOLT)),
    _Quantity("1-0:31.7.0", "Current", lambda live: live.i_rms_a, ScalerUnit(-3, Unit.AMPERE)),
    _Quantity(
        "1-0:13.7.0", "Power factor", lambda live: live.power_factor, ScalerUnit(-3, Unit.COUNT)
    ),
    _Quantity(
        "1-0:14.7.0", "Frequency", lambda live: live.frequency_hz, ScalerUnit(-3, Unit.HERTZ)
    ),
)


def energy_objects(sources: Sources) -> Iterator[Register | Data]:
    """Totals, every rate and its blocks, and which of them are active."""
    ledger, now, modulus = sources.ledger, sources.now, sources.config.modulus_wh
    for each in PERIOD_ENERGIES:
        yield Register(
            f"1-0:{each.c}.8.0",
            f"{each.title} total",
            now,
            _total(sources, each),
            each.scaler_unit,
            modulus=modulus,
        )
    for order, (channel, c, title, _) in enumerate(ACTIVE):
        for rate, blocks in enumerate(ledger.blocks(channel), start=1):
            yield Register(
                f"1-0:{c}.8.{rate}",
                f"{title} rate {rate}",
                now,
                rate_source(sources, channel, rate),
                _WH,
                modulus=modulus,
            )
            for block in divided(blocks):
                yield Register(
                    f"1-0:{c}.8.{block_e(rate, block)}",
                    f"{title} rate {rate} block {block}",
                    now,
                    block_source(sources, channel, rate, block),
                    _WH,
                    modulus=modulus,
                )
        yield Data(f"0-0:96.14.{order}", f"{title}: rate now", now, active_rate(sources, channel))
        yield Data(f"0-0:128.14.{order}", f"{title}: block now", now, _block(sources, channel))


def live_objects(sources: Sources) -> Iterator[Register]:
    """The quantities of the last second."""
    for quantity in _QUANTITIES:
        yield Register(
            quantity.obis,
            quantity.name,
            sources.now,
            _live(sources, quantity),
            quantity.scaler_unit,
        )


def active_rate(sources: Sources, channel: str) -> Callable[[datetime], int | None]:
    """Reads the number of the rate in force, None while the time is not known."""

    def read(now: datetime) -> int | None:
        time_s = sources.time_s(now)
        return None if time_s is None else sources.ledger.active_rate(channel, time_s)

    return read


def load_profile_energies(sources: Sources) -> tuple[EnergySum, ...]:
    """What the load profile captures: of reactive energy, an option, the two signs."""
    reactive = REACTIVE_SUMS if sources.config.profile.reactive else ()
    return (*PERIOD_ENERGIES[: len(ACTIVE)], *reactive)


def divided(blocks: Sequence[int]) -> range:
    """The numbers of a rate's blocks; none where one block is the rate."""
    return range(1, len(blocks) + 1) if len(blocks) > 1 else range(0)


def block_e(rate: int, block: int) -> int:
    """Group E of a block's register: 129 to 132 for rate 1, and so on."""
    return _MAKERS_E + MAX_BLOCKS * (rate - 1) + block


def of_channel(read: Callable[[str], int], channel: str) -> Callable[[datetime], int]:
    """Reads a register of the ledger."""
    return lambda _: read(channel)


def rate_source(sources: Sources, channel: str, rate: int) -> Callable[[datetime], int]:
    """Reads the register of a rate."""
    return lambda _: sources.ledger.rates(channel)[rate - 1]


def block_source(
    sources: Sources, channel: str, rate: int, block: int
) -> Callable[[datetime], int]:
    """Reads the register of a block."""
    return lambda _: sources.ledger.blocks(channel)[rate - 1][block - 1]


def _total(sources: Sources, energy: EnergySum) -> Callable[[datetime], int]:
    return lambda _: sum(sources.ledger.total(each.name) for each in energy.parts)


def _block(sources: Sources, channel: str) -> Callable[[datetime], int | None]:
    def read(now: datetime) -> int | None:
        time_s = sources.time_s(now)
        return None if time_s is None else sources.ledger.active_block(channel, time_s)

    return read


def _live(sources: Sources, quantity: _Quantity) -> Callable[[datetime], int | None]:
    return lambda now: sources.quantity(quantity.of, quantity.scaler_unit.scaler, now)


def _apparent(live: Quantities, sign: int) -> float:
    """Apparent power as long as active power flows this way; none at all counts as import."""
    exporting = live.power_w < 0
    return live.apparent_va if exporting == (sign < 0) else 0.0
