"""What an edge of the running meter is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collector import Keystore
    from elec_meter.access import Gate
    from elec_meter.config import HostConfig
    from elec_meter.runtime import Runtime

Tell = Callable[[str], None]
"""Takes a sentence for whoever started the meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """This computer, as the file describes it.

    Attributes:
        config: the file's table `[host]`.
        folder: where the file is: paths begin there.
        data_dir: the meter's data directory.
        keystore: the keys of its pulse units.
        now: the host's UTC.
        tell: takes what a person may want to know.
        monotonic_s: seconds of a clock that nobody sets: it never falls, and `now` may.
    """

    config: HostConfig
    folder: Path
    data_dir: Path
    keystore: Keystore
    now: Callable[[], datetime]
    tell: Tell
    monotonic_s: Callable[[], float] = time.monotonic

    def path(self, text: str) -> Path:
        """A path of the file."""
        return self.folder / text

    def device(self, text: str) -> str:
        """A device or a URL of the file: the latter, and what is absolute, stay as they are."""
        return text if "://" in text else str(self.path(text))


class Edge:
    """Something that the running meter meets the world with; it is there if the file names it.

    An edge is made, checked and asked for arguments before the meter is powered up. It is opened
    in the loop that owns the meter, and whatever it does to the meter it does from there.

    Args:
        host: the computer, with the table of the edge's name.

    Raises:
        MeterError: it could never work, in one sentence: a file that is missing, a wrong address.
    """

    def __init__(self, host: Host) -> None:
        self.host = host

    def require(self, gate: Gate) -> None:
        """Refuse to begin without credentials.

        Raises:
            CredentialsMissingError: with the command that sets them. A meter that has never run is
                not started then; any other runs without this edge.
        """

    def arguments(self) -> dict[str, Any]:
        """What `Runtime` is made with, and opens itself."""
        return {}

    async def open(self, runtime: Runtime) -> None:
        """Begin; the runtime serves already.

        Raises:
            MeterError: it cannot, in one sentence.
        """

    def step(self, now: datetime) -> None:
        """Time has come to `now`; called several times a second."""

    async def stop(self) -> None:
        """End what `open` began, also where it failed; the runtime still serves."""

    def close(self) -> None:
        """Give back what `arguments` took; the runtime has left, and all is durable."""
