"""Whether the modules of a configuration could work, before they are started."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from elec_meter.addons.errors import AddonError
from elec_meter.addons.modules import Check, load_check, require_module
from elec_meter.addons.mqtt_settings import MqttSettings
from elec_meter.addons.p1_settings import P1Settings
from elec_meter.addons.power import IDLE_MA
from elec_meter.addons.settings import Settings
from elec_meter.addons.wan_settings import WanSettings
from elec_meter.config import AddonConfig
from elec_meter.errors import ConfigError

_SHIPPED: Final[dict[str, Check]] = {
    "mqtt": MqttSettings.of,
    "p1": P1Settings.of,
    "wan_tcp": WanSettings.of,
}
_SENTENCE: Final = 200


def check_addons(
    addons: Sequence[AddonConfig],
    *,
    unless: Collection[AddonConfig] = (),
    where: str = "addons",
    is_elsewhere: bool = False,
    with_others: bool = False,
) -> list[str]:
    """Refuse modules that would fail whenever they are started.

    Args:
        addons: the modules.
        unless: those that are there already: they stand in nobody's way.
        where: the path of the list in its document.
        is_elsewhere: whether they are to run on another computer, which may have modules and files
            that this one lacks.
        with_others: whether code of other packages that checks their modules' settings is loaded
            into this process, which the meter's own never does.

    Returns:
        Where they are to run elsewhere, what could not be looked at: path and reason each.

    Raises:
        ConfigError: with the path and the reason.
    """
    notes = []
    for number, addon in enumerate(addons):
        if addon in unless:
            continue
        path = f"{where}[{number}]"
        if addon.budget_ma < IDLE_MA:
            raise ConfigError(
                f"{path}.budget_ma: a module draws {IDLE_MA} mA while it waits, so with"
                f" {addon.budget_ma} mA it would always be cut off"
            )
        try:
            require_module(addon.module)
        except AddonError as error:
            sentence = f"{path}.module: {error}"
            if not is_elsewhere:
                raise ConfigError(sentence) from None
            notes.append(sentence)
        try:
            found = check_settings(addon, is_elsewhere=is_elsewhere, with_others=with_others)
        except AddonError as error:
            raise ConfigError(f"{path}.settings: {error}") from None
        notes += [f"{path}.settings: {note}" for note in found]
    return notes


def check_settings(
    addon: AddonConfig, *, is_elsewhere: bool = False, with_others: bool = False
) -> list[str]:
    """As `check_addons`, of the settings of one module; nobody knows those of one without a check.

    Raises:
        AddonError: with the reason.
    """
    values = {setting.name: setting.value for setting in addon.settings}
    settings = Settings(values, is_elsewhere=is_elsewhere)
    check = _SHIPPED.get(addon.module)
    if check is not None:
        check(settings)
    elif with_others:
        with _blaming(addon.module):
            check = load_check(addon.module)
            if check is not None:
                check(settings)
    return settings.notes


def listen_addresses_of(addon: AddonConfig) -> list[str]:
    """HOST:PORT of everything that a shipped module listens at; nobody knows that of others.

    Args:
        addon: the module; settings that are wrong are refused elsewhere.
    """
    values = {setting.name: setting.value for setting in addon.settings}
    settings = Settings(values, is_elsewhere=True)
    check = _SHIPPED.get(addon.module)
    if check is not None:
        with suppress(AddonError):
            check(settings)
    return [str(address) for address in settings.listen_addresses]


@contextmanager
def _blaming(module: str) -> Iterator[None]:
    """Whatever the code of another package does wrong becomes a sentence."""
    try:
        yield
    except AddonError as error:
        raise AddonError(_one_line(str(error))) from None
    except Exception as error:  # noqa: BLE001 - nobody knows what it raises
        said = _one_line(f"{type(error).__name__}: {error}")
        raise AddonError(f"the check of the module {module} fails: {said}") from None


def _one_line(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:_SENTENCE]
