"""When a unit is connected to over Bluetooth: what its adverts say of its connectable windows.

An advert does not say whether it can be connected to. Outside its windows a unit sends each advert
once; within one it repeats the same advert ten times a second, for ten seconds.
"""

from __future__ import annotations

_REPEATED_S = 2.0  # the same again within this time: a window
_RETRY_S = 3.0  # in a window, after an attempt that failed
_BLIND_RETRY_S = 60.0  # where no window was seen for long, after an attempt that failed


class ContactPlan:
    """When one unit is connected to. Time is ``now_s``, of a clock that only rises.

    Args:
        period_s: how often it is connected to without being asked for anything.
        now_s: the time now: a first contact is due.
    """

    def __init__(self, period_s: float, now_s: float) -> None:
        self._period_s = period_s
        self._due_s = now_s
        self._attempt_s = float("-inf")
        self._data = b""
        self._heard_s = float("-inf")

    def want(self, now_s: float) -> None:
        """There is something to ask it: contact is due."""
        self._due_s = min(self._due_s, now_s)

    def heard(self, data: bytes, now_s: float) -> bool:
        """Whether to try now, after an advert."""
        is_window = data == self._data and now_s - self._heard_s <= _REPEATED_S
        self._data = data
        self._heard_s = now_s
        if now_s < self._due_s:
            return False
        if is_window:
            return now_s - self._attempt_s >= _RETRY_S
        # Where the system hides repeated adverts no window is ever seen.
        is_overdue = now_s - self._due_s >= self._period_s
        return is_overdue and now_s - self._attempt_s >= _BLIND_RETRY_S

    def failed(self, now_s: float, pause_s: float = 0.0) -> None:
        """An attempt has failed; the next comes no sooner than after a pause."""
        self._attempt_s = now_s + pause_s

    def contacted(self, now_s: float) -> None:
        """It was connected to, and answered."""
        self._attempt_s = now_s
        self._due_s = now_s + self._period_s
