"""Sessions that answer one message at a time, so that others have their turn in between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime


class SessionByTurns(ABC):
    """A session of which a caller may ask one answer at a time, or all of them at once."""

    @property
    @abstractmethod
    def is_behind(self) -> bool:
        """Whether something that came may wait for `receive_one`."""

    @abstractmethod
    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """As `receive_data`, but answer one message at most; without data, one that waits."""

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take bytes that came at `now`, in the host's UTC.

        Returns:
            What is to be sent.
        """
        replies = [self.receive_one(data, now)]
        while self.is_behind:
            replies.append(self.receive_one(b"", now))
        return b"".join(replies)
