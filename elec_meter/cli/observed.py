"""A meter to look at: the real one's code on a copy of its directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from elec_meter.clock import Clock
from elec_meter.errors import NotADataDirectoryError
from elec_meter.ledger import Books
from elec_meter.meter import Meter
from elec_meter.storage import Event, Storage
from elec_meter.storage.observe import observe
from shared.timegrid import from_unix_s

Row: TypeAlias = dict[str, Any]
"""A row of a view, plain enough for JSON and CSV."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A data directory as of its last durable instant.

    Attributes:
        meter: the meter that would go on there.
        storage: the copy that it lives on.
        day: the settlement day that is looked at, if one was asked for.
        events: the log as it was, without what the meter's power-up on the copy adds.
        books: the ledger as it was: a power-up forgets the demand of the period under way.
    """

    meter: Meter
    storage: Storage
    day: date | None
    events: list[Event]
    books: Books

    @property
    def time(self) -> datetime | None:
        """The meter's time, None while it is unknown."""
        return self.meter.clock.read(self.meter.now)


@contextmanager
def observed(directory: Path, day: date | None = None) -> Iterator[Observed]:
    """Look at a data directory; nothing that is done to the meter reaches it.

    Raises:
        StorageError: there is no meter's data, or it cannot be read.
    """
    with observe(directory) as copy:
        state = copy.load()
        config, durable_s = copy.load_config(copy.config_in_force), state.durable_s
        if config is None or durable_s is None:
            raise NotADataDirectoryError(f"{directory} holds no meter's data yet")
        events = copy.events()
        clock = Clock(config.clock, state.stretches, durable_s)
        books = Books(config, state, clock=clock)
        meter = Meter(config, copy, from_unix_s(durable_s))
        yield Observed(meter, copy, day, events, books)
