"""Which modules there are: those shipped, and those that other packages bring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeAlias

from elec_meter.addons.errors import AddonError, UnknownModuleError
from shared.extras import installing

if TYPE_CHECKING:
    from elec_meter.addons.line import MeterLine
    from elec_meter.addons.settings import Settings

Module: TypeAlias = "Callable[[MeterLine, Settings], Awaitable[None]]"
"""A module: it works until it is cut off; where it cannot, it raises an error that says why."""

Check: TypeAlias = "Callable[[Settings], object]"
"""Looks at a module's settings before it is started; an `AddonError` says what is wrong."""

GROUP: Final = "elec_meter.addons"
"""The group of entry points of other packages' modules."""

CHECKS: Final = "elec_meter.addon_checks"
"""The group of those that check the settings of the module of the same name."""

_SHIPPED: Final = {"mqtt": "mqtt", "p1": "p1", "wan_tcp": "wan_tcp"}
_NEEDED: Final = {"mqtt": "aiomqtt"}


def load_module(name: str) -> Module:
    """A module by its name; nobody takes the name of one that is shipped.

    Raises:
        UnknownModuleError: there is none.
        AddonError: what it needs is not installed.
    """
    require_module(name)
    if name in _SHIPPED:
        module: Module = import_module(f"elec_meter.addons.{_SHIPPED[name]}").run
        return module
    (found, *_) = entry_points(group=GROUP, name=name)
    loaded: Module = found.load()
    return loaded


def require_module(name: str) -> None:
    """Find a module without loading it.

    Raises:
        UnknownModuleError: there is none.
        AddonError: what it needs is not installed.
    """
    if name not in _SHIPPED and not entry_points(group=GROUP, name=name):
        raise UnknownModuleError(
            f"there is no add-on module {name!r}: {', '.join(_SHIPPED)} are shipped"
        )
    needed = _NEEDED.get(name)
    if needed is not None and find_spec(needed) is None:
        raise AddonError(f"{name} needs {needed}: {installing(name)}")


def load_check(name: str) -> Check | None:
    """What another package offers to check its module's settings with; None for nothing."""
    found = next(iter(entry_points(group=CHECKS, name=name)), None)
    if found is None:
        return None
    loaded: Check = found.load()
    return loaded
