"""Lock-outs: three failures lock a level on the port at which they happened, and nowhere else."""

from __future__ import annotations

from typing import Final

import msgspec

FAILURES: Final = 3
"""So many failures without a success in between lock a level."""

FIRST_S: Final = 60
"""How long the first time; each further time twice as long."""

LONGEST_S: Final = 86_400


class Lock(msgspec.Struct, frozen=True, array_like=True):
    """Failures of a level on a port since its last success, and when it opens again, UNIX s."""

    failures: int = 0
    until_s: int = 0


class Lockouts:
    """Counts failures by port and level; times are the host's UTC, in UNIX seconds.

    Args:
        locks: as they were saved.
    """

    def __init__(self, locks: dict[str, dict[int, Lock]] | None = None) -> None:
        self.locks = {} if locks is None else locks

    def locked_until_s(self, port: str, level: int, at_s: int) -> int | None:
        """When a level that is locked on a port opens again; None if it is open."""
        lock = self._lock(port, level)
        return lock.until_s if at_s < lock.until_s else None

    def failed(self, port: str, level: int, at_s: int) -> int | None:
        """Somebody failed; when a level that this has locked opens again."""
        failures = self._lock(port, level).failures + 1
        times, rest = divmod(failures, FAILURES)
        until_s = 0
        if not rest:
            doublings = min(times - 1, LONGEST_S.bit_length())
            until_s = at_s + min(LONGEST_S, FIRST_S << doublings)
        self.locks.setdefault(port, {})[level] = Lock(failures, until_s)
        return until_s or None

    def succeeded(self, port: str, level: int) -> None:
        """Somebody was let in: failures are counted from the beginning again."""
        self.locks.get(port, {}).pop(level, None)

    def _lock(self, port: str, level: int) -> Lock:
        return self.locks.get(port, {}).get(level, Lock())
