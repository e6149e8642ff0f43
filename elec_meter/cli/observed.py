"""A meter to look at: the real one's code on a copy of its directory."""

from __future__ import annotations

from pathlib import Path

from elec_meter.errors import NotADataDirectoryError
from elec_meter.meter import Meter
from elec_meter.storage import Storage
from elec_meter.storage.observe import observe
from shared.timegrid import from_unix_s


def observed_meter(directory: Path) -> tuple[Meter, Storage]:
    """The meter of a data directory as of its last durable instant, and the storage as it was.

    Raises:
        StorageError: there is no meter's data, or it cannot be read.
    """
    copy = observe(directory)
    config, durable_s = copy.load_config(), copy.load().durable_s
    if config is None or durable_s is None:
        copy.close()
        raise NotADataDirectoryError(f"{directory} holds no meter's data yet")
    return Meter(config, copy, from_unix_s(durable_s)), Storage.open(directory, read_only=True)
