"""What a document may say, and nobody can have meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from elec_meter.errors import ConfigError
from shared.obis import Obis

from .billing import billing_registers
from .schema import MeterConfig
from .switchgear import RelayConfig

_LIMITING: Final = frozenset({"limiter", "contactor"})
_CHANNEL_C: Final = 128
_CHANNEL_D: Final = frozenset({0, 1, 4})
"""D of the objects 0-n:128.d.0 that a data channel makes."""


def refuse_senseless(config: MeterConfig, changed: Collection[str]) -> None:
    """Refuse settings that can do nothing, or nothing but harm.

    Args:
        config: the document.
        changed: the parts that somebody has written: what was there before stands in nobody's way,
            nor does a relay in that of another tariff.

    Raises:
        ConfigError: with the path and the reason.
    """
    for parts, sentence in _senseless(config):
        if not parts.isdisjoint(changed):
            raise ConfigError(sentence)


def _senseless(config: MeterConfig) -> Iterator[tuple[frozenset[str], str]]:
    """The parts that would have to be another for it, and a sentence."""
    for number, terminal in enumerate(config.terminals):
        if terminal.relay is not None:
            for rate in _unknown_rates(config, terminal.relay):
                where = f"terminals[{number}].relay"
                yield frozenset({"terminals"}), _rate_sentence(where, rate, terminal.relay)
    if config.switched_load is not None:
        for rate in _unknown_rates(config, config.switched_load):
            sentence = _rate_sentence("switched_load", rate, config.switched_load)
            yield frozenset({"switched_load"}), sentence
    for number, channel in enumerate(config.data_channels):
        obis = Obis.parse(channel.object)
        own = (0, channel.number, _CHANNEL_C)
        if (obis.a, obis.b, obis.c) == own and obis.d in _CHANNEL_D:
            sentence = f"data_channels[{number}]: {channel.name} would record itself"
            yield frozenset({"data_channels"}), sentence
    for sentence in _disguises(config):
        yield frozenset({"display"}), sentence
    limiter = config.limiter
    if limiter.threshold or limiter.emergency is not None:
        if limiter.over != "log" and not config.contactor.mode:
            yield (
                _LIMITING,
                f"limiter.over: there is no contactor to {limiter.over}: contactor.mode is 0",
            )
        for name, seconds in (("over_s", limiter.over_s), ("under_s", limiter.under_s)):
            if not seconds:
                sentence = f"limiter.{name}: one measurement is no time: it is 1 s at least"
                yield frozenset({"limiter"}), sentence


def _disguises(config: MeterConfig) -> Iterator[str]:
    """Screens of a billing register that nobody could compare with a bill."""
    billed = {Obis.parse(code) for code in billing_registers(config)}
    where = "display.button" if config.display.button else "display.scroll"
    called: dict[str, Obis] = {}
    for number, screen in enumerate(config.display.reachable):
        obis, name = Obis.parse(screen.object), screen.mnemonic.strip()
        other = called.setdefault(name, obis)
        if name and other != obis and not billed.isdisjoint({other, obis}):
            yield f"{where}[{number}]: {other} and {obis} would both be called {name}"
        if obis in billed and screen.unit.startswith("M"):
            yield f"{where}[{number}].unit: nobody is billed in {screen.unit}"


def _unknown_rates(config: MeterConfig, relay: RelayConfig) -> list[int]:
    """Rates in which a relay is on that are in neither tariff."""
    if relay.control != "rate":
        return []
    tariffs = [config.tariff, *([] if config.passive is None else [config.passive.tariff])]
    most = max(each.calendar(relay.channel).rates for each in tariffs)
    return [rate for rate in relay.rates if rate > most]


def _rate_sentence(where: str, rate: int, relay: RelayConfig) -> str:
    return f"{where}: the tariff of {relay.channel} has no rate {rate}, so it would never be on"
