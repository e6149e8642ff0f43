"""COSEM class 9: numbered scripts that a client executes (IEC 62056-6-2, 4.5.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final, NamedTuple

from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.entry import Actions, Entry, number_entry
from elec_meter.objects.classes.errors import NoSuchEntryError

_SCRIPTS: Final = 2
_EXECUTE: Final = 1


class Script(NamedTuple):
    """A script: what it is for people, and what it does."""

    name: str
    run: Callable[[Actions], None]


class ScriptEntry(NamedTuple):
    """An element of attribute 2; what a script does is the meter's own, and no list of actions."""

    script_identifier: int
    actions: tuple[()] = ()


class ScriptTable(CosemObject):
    """Scripts by their number; method 1 executes one.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        scripts: by number.
        is_closed: whether the meter alone executes them.
    """

    class_id: ClassVar[int] = 9

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        scripts: Mapping[int, Script],
        *,
        is_closed: bool = False,
    ) -> None:
        super().__init__(obis, name, now)
        self._is_closed = is_closed
        self._scripts = dict(scripts)

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people: the scripts in words."""
        if attribute != _SCRIPTS:
            return super().present(attribute, now)
        return ", ".join(f"{number} {script.name}" for number, script in self._scripts.items())

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {_SCRIPTS: lambda _: tuple(map(ScriptEntry, self._scripts))}

    def _methods(self) -> Mapping[int, Entry]:
        return {_EXECUTE: number_entry(self._execute)._replace(is_closed=self._is_closed)}

    def _execute(self, actions: Actions, number: int) -> None:
        script = self._scripts.get(number)
        if script is None:
            raise NoSuchEntryError(f"{self.obis} has no script {number}")
        script.run(actions)
