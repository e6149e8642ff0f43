"""The registers that a bill is made of: the display must show every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from elec_meter.errors import ConfigError
from shared.obis import Obis

from .places import DISPLAY_DIGITS
from .schema import DisplayScreen, GasUnitConfig, MeterConfig
from .tariff import TariffConfig

_VALUE: Final = 2
_CLOCK: Final = "0-0:1.0.0"
_ENERGY_DECIMALS: Final = 1
_VOLUME_DECIMALS: Final = 3


def billing_registers(config: MeterConfig) -> tuple[str, ...]:
    """OBIS codes of the tariff in force: totals, and rates where there is more than one.

    Import is 1-0:1.8.e and export 1-0:2.8.e, with 0 in e for the total; channel n has 0-n:24.2.1
    for its index and 0-n:24.2.(1 + rate) (IEC 62056-6-1, 7.1 and EN 13757-1).
    """
    return _registers(config, config.tariff)


def hidden_billing_registers(config: MeterConfig) -> list[str]:
    """Billing registers that are on no screen, of the tariff in force and of the next one.

    An empty list of screens hides none: the display then shows `automatic_screens`.
    """
    screens = config.display.scroll
    if not screens:
        return []
    tariffs = [config.tariff, *([] if config.passive is None else [config.passive.tariff])]
    wanted = dict.fromkeys(code for each in tariffs for code in _registers(config, each))
    shown = {Obis.parse(each.object) for each in screens if each.attribute == _VALUE}
    return [code for code in wanted if Obis.parse(code) not in shown]


def check_config(config: MeterConfig) -> None:
    """Refuse what a document may say and a meter may not do.

    Raises:
        ConfigError: a billing register is on no screen.
    """
    hidden = hidden_billing_registers(config)
    if hidden:
        raise ConfigError(f"display.scroll: the billing register {hidden[0]} is on no screen")


def automatic_screens(config: MeterConfig) -> tuple[DisplayScreen, ...]:
    """What a display without a list of its own shows: every billing register, time and date.

    The digits are as many as the register has before it rolls over.
    """
    return (
        *_energy_screens(config, "1-0:1.8", "IMPORT", "IMP", config.tariff.import_.rates),
        *_energy_screens(config, "1-0:2.8", "EXPORT", "EXP", config.tariff.export.rates),
        *(each for unit in config.gas_units for each in _gas_screens(config, unit)),
        DisplayScreen(object=_CLOCK, mnemonic="TIME", format="time"),
        DisplayScreen(object=_CLOCK, mnemonic="DATE", format="date"),
    )


def _registers(config: MeterConfig, tariff: TariffConfig) -> tuple[str, ...]:
    codes = []
    for stem, rates in (("1-0:1.8", tariff.import_.rates), ("1-0:2.8", tariff.export.rates)):
        codes += [f"{stem}.{rate}" for rate in (0, *_several(rates))]
    for unit in config.gas_units:
        stem = f"0-{unit.number}:24.2"
        codes += [f"{stem}.{1 + rate}" for rate in (0, *_several(tariff.gas.rates))]
    return tuple(codes)


def _several(rates: int) -> range:
    """The numbers of rates; none where one rate is the total."""
    return range(1, rates + 1) if rates > 1 else range(0)


def _energy_screens(
    config: MeterConfig, stem: str, total: str, short: str, rates: int
) -> Iterator[DisplayScreen]:
    form = _format(config.modulus_wh, _ENERGY_DECIMALS)
    for rate in (0, *_several(rates)):
        yield DisplayScreen(
            object=f"{stem}.{rate}",
            mnemonic=f"{short} R{rate}" if rate else total,
            format=form,
            unit="kWh",
        )


def _gas_screens(config: MeterConfig, unit: GasUnitConfig) -> Iterator[DisplayScreen]:
    alone = len(config.gas_units) == 1
    form = _format(unit.modulus_l, _VOLUME_DECIMALS)
    for rate in (0, *_several(config.tariff.gas.rates)):
        channel = "GAS" if alone else f"GAS{unit.number}"
        yield DisplayScreen(
            object=f"0-{unit.number}:24.2.{1 + rate}",
            mnemonic=f"{channel} R{rate}" if rate else channel,
            format=form,
            unit="m3",
        )


def _format(modulus: int, most_decimals: int) -> str:
    """A picture of every value below the modulus, which is in thousandths of the unit shown."""
    whole = len(str((modulus - 1) // 1000))
    decimals = min(most_decimals, DISPLAY_DIGITS - whole)
    return "0" * whole + ("." + "0" * decimals if decimals > 0 else "")
