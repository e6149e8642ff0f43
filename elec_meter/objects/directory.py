"""The one list of everything that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from elec_meter.objects.classes.base import CosemObject, Now
from elec_meter.objects.classes.errors import UnknownObjectError
from shared.errors import ObisError
from shared.obis import Obis


class Directory:
    """OBIS code to object, in the order of the codes.

    Args:
        objects: everything there is.
        now: the host's UTC, for reads without an instant.

    Raises:
        ValueError: two objects have one name.
    """

    def __init__(self, objects: Iterable[CosemObject], now: Now) -> None:
        ordered = sorted(objects, key=lambda each: each.obis.groups)
        self._objects = {each.obis: each for each in ordered}
        if len(self._objects) != len(ordered):
            raise ValueError("two objects of a directory have one OBIS code")
        self._now = now

    def __getitem__(self, obis: Obis | str) -> CosemObject:
        """The object of that name, `1-0:1.8.0` or reduced `1.8.0`.

        Raises:
            UnknownObjectError: there is none, or the text is no OBIS code.
        """
        try:
            return self._objects[obis if isinstance(obis, Obis) else Obis.parse(obis)]
        except KeyError:
            raise UnknownObjectError(f"the meter has no object {obis}") from None
        except ObisError as error:
            raise UnknownObjectError(str(error)) from error

    def __contains__(self, obis: object) -> bool:
        try:
            return isinstance(obis, (Obis, str)) and self[obis] is not None
        except UnknownObjectError:
            return False

    def __iter__(self) -> Iterator[CosemObject]:
        return iter(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def content(self) -> Directory:
        """What has these objects and no others: another one when there are others."""
        return self

    def now(self) -> datetime:
        """The instant at which a read without one happens."""
        return self._now()
