"""A radio in simulated time that loses, delays, repeats, reorders and damages what it carries."""

from __future__ import annotations

import random
from heapq import heappop, heappush

from collector.errors import BearerClosedError
from shared.timegrid import from_unix_ms

from .base import Bearer, ReceivedFrame

_STORED_MAX_S = 6 * 3600


class VirtualRadio(Bearer):
    """Carries frames from units to one receiver; what happens follows from the seed alone.

    Args:
        seed: of all that is random.
        loss: probability that a frame is never received.
        delay_max_s: the delay that is declared and kept to; None stores frames for up to six hours.
        duplicate: probability that a received frame is received twice.
        reorder: probability that a frame goes by way of a store that delays it by up to six hours,
            and says so.
        corrupt: probability that some of a received frame's bytes are wrong.
        reply_loss: probability that a reply is never received.
        name: as it appears in events.

    Attributes:
        loss: as in the arguments; it may change.
    """

    is_two_way = True

    def __init__(
        self,
        seed: int,
        *,
        loss: float = 0.0,
        delay_max_s: int | None = 2,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        corrupt: float = 0.0,
        reply_loss: float = 0.0,
        name: str = "virtual",
    ) -> None:
        self.name = name
        self._random = random.Random(seed)
        self.loss = loss
        self._delay_max_s = delay_max_s
        self._duplicate = duplicate
        self._reorder = reorder
        self._corrupt = corrupt
        self._reply_loss = reply_loss
        self._under_way: list[tuple[int, int, ReceivedFrame]] = []
        self._sent = 0
        self._replies: list[tuple[str, bytes]] = []
        self._is_closed = False

    def send(self, frame: bytes, sent_utc_ms: int) -> None:
        """Send a unit's frame, at UNIX milliseconds.

        Raises:
            BearerClosedError: after `close`.
        """
        self._refuse_closed()
        if self._random.random() < self.loss:
            return
        copies = 2 if self._random.random() < self._duplicate else 1
        for _ in range(copies):
            is_stored = self._delay_max_s is None or self._random.random() < self._reorder
            self._carry(frame, sent_utc_ms, None if is_stored else self._delay_max_s)

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """See `Bearer.receive_until`."""
        self._refuse_closed()
        received = []
        while self._under_way and self._under_way[0][0] <= utc_ms:
            received.append(heappop(self._under_way)[2])
        return received

    def next_frame_utc_ms(self) -> int | None:
        """See `Bearer.next_frame_utc_ms`."""
        return self._under_way[0][0] if self._under_way else None

    def reply(self, serial: str, data: bytes) -> None:
        """Send to a unit; `take_replies` has what it hears."""
        self._refuse_closed()
        if self._random.random() >= self._reply_loss:
            self._replies.append((serial, data))

    def take_replies(self) -> list[tuple[str, bytes]]:
        """What units hear in their reply windows: (serial, data), each once."""
        replies, self._replies = self._replies, []
        return replies

    def close(self) -> None:
        """See `Bearer.close`; what is under way is lost."""
        self._is_closed = True
        self._under_way.clear()

    def _carry(self, frame: bytes, sent_utc_ms: int, delay_max_s: int | None) -> None:
        flight_max_s = _STORED_MAX_S if delay_max_s is None else delay_max_s
        received_ms = sent_utc_ms + self._random.randint(0, flight_max_s * 1000)
        received = ReceivedFrame(
            data=self._damaged(frame),
            received_utc=from_unix_ms(received_ms),
            bearer=self.name,
            delay_max_s=delay_max_s,
            rssi_dbm=self._random.randint(-105, -45),
            two_way=delay_max_s is not None,  # what was stored on the way has no one listening
        )
        self._sent += 1
        heappush(self._under_way, (received_ms, self._sent, received))

    def _damaged(self, frame: bytes) -> bytes:
        if not frame or self._random.random() >= self._corrupt:
            return frame
        damaged = bytearray(frame)
        for _ in range(self._random.randint(1, 3)):
            damaged[self._random.randrange(len(damaged))] ^= self._random.randint(1, 255)
        return bytes(damaged)

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise BearerClosedError(f"{self.name} is closed")
