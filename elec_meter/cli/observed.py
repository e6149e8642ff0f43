"""A meter to look at: the real one's code on a copy of its directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from elec_meter.errors import NotADataDirectoryError
from elec_meter.meter import Meter
from elec_meter.storage import Event, Storage
from elec_meter.storage.observe import observe
from shared.timegrid import from_unix_s


@dataclass(frozen=True, slots=True)
class Observed:
    """A data directory as of its last durable instant.

    Attributes:
        meter: the meter that would go on there.
        storage: the copy that it lives on.
        day: the settlement day that is looked at, if one was asked for.
        events: the log as it was, without what the meter's power-up on the copy adds.
    """

    meter: Meter
    storage: Storage
    day: date | None
    events: list[Event]


@contextmanager
def observed(directory: Path, day: date | None = None) -> Iterator[Observed]:
    """Look at a data directory; nothing that is done to the meter reaches it.

    Raises:
        StorageError: there is no meter's data, or it cannot be read.
    """
    with observe(directory) as copy:
        config, durable_s = copy.load_config(), copy.load().durable_s
        if config is None or durable_s is None:
            raise NotADataDirectoryError(f"{directory} holds no meter's data yet")
        events = copy.events()
        yield Observed(Meter(config, copy, from_unix_s(durable_s)), copy, day, events)
