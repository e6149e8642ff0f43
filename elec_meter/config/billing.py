"""The registers that a bill is made of: the display must show every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from elec_meter.errors import ConfigError
from shared.obis import Obis

from .places import DISPLAY_DIGITS
from .schema import DisplayScreen, FlagConfig, GasUnitConfig, MeterConfig
from .tariff import TariffConfig

_VALUE: Final = 2
_CLOCK: Final = "0-0:1.0.0"
_READOUT_BEFORE: Final = ("F.F", "0.0.0", "0.9.1", "0.9.2")
_ENERGY_DECIMALS: Final = 1
_VOLUME_DECIMALS: Final = 3
_FIRST_WINDOW: Final = 129


def billing_registers(config: MeterConfig) -> tuple[str, ...]:
    """OBIS codes of the tariff in force: totals, and rates where there is more than one.

    Import is 1-0:1.8.e and export 1-0:2.8.e, with 0 in e for the total; channel n has 0-n:24.2.1
    for its index and 0-n:24.2.(1 + rate) (IEC 62056-6-1, 7.1 and EN 13757-1). Maximum demand that
    is billed is 1-0:1.6.e.
    """
    return _registers(config, config.tariff)


def flag_in_force(config: MeterConfig) -> FlagConfig:
    """The FLAG port with a readout: the document's, or what everybody may know of a bill.

    That is the meter's state, number, time and date, every total, and every rate where there is
    more than one. Demand is personal.
    """
    if config.flag.readout:
        return config.flag
    codes = (*_READOUT_BEFORE, *_energy_registers(config, config.tariff))
    return replace(config.flag, readout=codes)


def hidden_billing_registers(config: MeterConfig) -> list[str]:
    """Billing registers that no short press leads to, of the tariff in force and of the next one.

    Without any list the display shows `automatic_screens`, which hide none.
    """
    screens = config.display.reachable
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
        where = "display.button" if config.display.button else "display.scroll"
        others = f", nor are {', '.join(hidden[1:])}" if hidden[1:] else ""
        raise ConfigError(f"{where}: the billing register {hidden[0]} is on no screen{others}")


def automatic_screens(config: MeterConfig) -> tuple[DisplayScreen, ...]:
    """What a display without a list of its own shows: every billing register, time and date.

    The digits are as many as the register has before it rolls over.
    """
    return (
        *_energy_screens(config, "1-0:1.8", "IMPORT", "IMP", config.tariff.import_.rates),
        *_energy_screens(config, "1-0:2.8", "EXPORT", "EXP", config.tariff.export.rates),
        *(each for unit in config.gas_units for each in _gas_screens(config, unit)),
        *_demand_screens(config),
        DisplayScreen(object=_CLOCK, mnemonic="TIME", format="time"),
        DisplayScreen(object=_CLOCK, mnemonic="DATE", format="date"),
    )


def _registers(config: MeterConfig, tariff: TariffConfig) -> tuple[str, ...]:
    return (*_energy_registers(config, tariff), *_billed_maxima(config))


def _energy_registers(config: MeterConfig, tariff: TariffConfig) -> list[str]:
    codes = []
    for stem, rates in (("1-0:1.8", tariff.import_.rates), ("1-0:2.8", tariff.export.rates)):
        codes += [f"{stem}.{rate}" for rate in (0, *_several(rates))]
    for unit in config.gas_units:
        stem = f"0-{unit.number}:24.2"
        codes += [f"{stem}.{1 + rate}" for rate in (0, *_several(tariff.gas.rates))]
    return codes


def _billed_maxima(config: MeterConfig) -> list[str]:
    if not config.demand.billed:
        return []
    windows = range(len(config.demand.windows))
    return [f"1-0:1.6.{_FIRST_WINDOW + window}" for window in windows] or ["1-0:1.6.0"]


def _demand_screens(config: MeterConfig) -> Iterator[DisplayScreen]:
    for number, code in enumerate(_billed_maxima(config), start=1):
        yield DisplayScreen(object=code, mnemonic=f"MAX {number}", format="####0.000", unit="kW")


def automatic_service_screens(config: MeterConfig) -> tuple[DisplayScreen, ...]:
    """What somebody who serves the meter needs: what it measures now, and how it is."""
    return (
        DisplayScreen(object="1-0:32.7.0", mnemonic="VOLTAGE", format="####0.0", unit="V"),
        DisplayScreen(object="1-0:31.7.0", mnemonic="CURRENT", format="###0.00", unit="A"),
        DisplayScreen(object="1-0:16.7.0", mnemonic="POWER", format="#####0", unit="W"),
        DisplayScreen(object="1-0:13.7.0", mnemonic="PF", format="##0.000"),
        DisplayScreen(object="1-0:14.7.0", mnemonic="FREQ", format="##0.00", unit="Hz"),
        DisplayScreen(object="0-0:97.97.0", mnemonic="ERRORS", format="#######0"),
        DisplayScreen(object="0-0:96.3.10", attribute=3, mnemonic="SWITCH", format="#######0"),
        *(
            DisplayScreen(
                object=f"0-{unit.number}:97.97.0", mnemonic=f"UNIT{unit.number}", format="#######0"
            )
            for unit in config.gas_units
        ),
        DisplayScreen(object="1-0:0.2.0", mnemonic="VERSION", format="text"),
        DisplayScreen(object="0-0:96.1.0", mnemonic="SERIAL", format="text"),
    )


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
