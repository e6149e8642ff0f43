"""Invocation counters: strictly rising for each key and each sender (IEC 62056-5-3, 5.3).

A counter that was used must not be used again, and one that was heard must not be heard again,
whatever happens in between: the state is made durable before the answer leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from elec_meter.dlms.ciphering import COUNTER_MAX, TITLE_SIZE, Keys
from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.errors import CountersSpentError, ReplayError

TITLES_MAX: Final = 16
"""Senders that are remembered one by one for each key. The one that is forgotten is the one with
the lowest counter, and no stranger is heard any more with a counter up to that."""

_NAME_SIZE: Final = 8
_NUMBER_SIZE: Final = 5
_FORMAT: Final = 1


@dataclass(slots=True)
class _Counters:
    """Those of one key: the next to send, the lowest for strangers, the lowest by sender."""

    next_sent: int = 1
    floor: int = 0
    lowest: dict[bytes, int] = field(default_factory=dict)


class InvocationCounters:
    """All counters of a meter.

    Keys are told apart by their encryption keys; a dedicated key has counters of its own.

    Args:
        state: what `state` gave before; empty for a meter that never spoke.

    Raises:
        MalformedError: it is none.
    """

    def __init__(self, state: bytes = b"") -> None:
        self._keys: dict[bytes, _Counters] = {}
        if state:
            self._load(Cursor(state))

    def state(self) -> bytes:
        """Everything that must survive; names of keys are digests, not the keys."""
        parts = [bytes((_FORMAT,)), _number(len(self._keys))]
        for name, counters in self._keys.items():
            parts += [name, _number(counters.next_sent), _number(counters.floor)]
            parts.append(bytes((len(counters.lowest),)))
            parts += [title + _number(lowest) for title, lowest in counters.lowest.items()]
        return b"".join(parts)

    def next_sent(self, keys: Keys) -> int:
        """A counter to send something with; it is used up.

        Raises:
            CountersSpentError: there is none left: the key has to be changed.
        """
        counters = self._of(keys)
        if counters.next_sent > COUNTER_MAX:
            raise CountersSpentError("the key has no invocation counter left")
        counters.next_sent += 1
        return counters.next_sent - 1

    def lowest(self, keys: Keys, title: bytes) -> int:
        """The lowest counter that a sender may use."""
        counters = self._of(keys)
        return counters.lowest.get(title, counters.floor)

    def require(self, keys: Keys, title: bytes, counter: int) -> None:
        """Refuse a counter that was heard before; nothing is remembered.

        Raises:
            ReplayError: it was, or a higher one.
        """
        lowest = self.lowest(keys, title)
        if counter < lowest:
            raise ReplayError(lowest)

    def heard(self, keys: Keys, title: bytes, counter: int) -> None:
        """Remember a counter, once what came with it has proved genuine.

        Raises:
            ReplayError: as for `require`.
        """
        self.require(keys, title, counter)
        counters = self._of(keys)
        counters.lowest[title] = counter + 1
        if len(counters.lowest) > TITLES_MAX:
            forgotten = min(
                (each for each in counters.lowest if each != title), key=counters.lowest.__getitem__
            )
            counters.floor = max(counters.floor, counters.lowest.pop(forgotten))

    def is_known(self, encryption: bytes) -> bool:
        """Whether an encryption key was ever used here."""
        return _name(encryption) in self._keys

    def highest_heard(self, keys: Keys) -> int:
        """The highest counter heard with a key: whoever begins above it is not refused.

        A sender that has used its last one is left out: nobody could begin above that.
        """
        counters = self._of(keys)
        usable = (each for each in counters.lowest.values() if each <= COUNTER_MAX)
        return max(counters.floor, 1, *usable) - 1

    def _of(self, keys: Keys) -> _Counters:
        name = _name(keys.encryption)
        # None is ever forgotten: a key that came back would find its counters used up already.
        return self._keys.setdefault(name, _Counters())

    def _load(self, cursor: Cursor) -> None:
        cursor.expect(bytes((_FORMAT,)), "the format of the invocation counters")
        for _ in range(cursor.unsigned(_NUMBER_SIZE)):
            name = cursor.take(_NAME_SIZE)
            counters = _Counters(cursor.unsigned(_NUMBER_SIZE), cursor.unsigned(_NUMBER_SIZE))
            for _ in range(cursor.byte()):
                title = cursor.take(TITLE_SIZE)
                counters.lowest[title] = cursor.unsigned(_NUMBER_SIZE)
            self._keys[name] = counters
        cursor.finish()


def _name(encryption: bytes) -> bytes:
    return sha256(b"dlms" + encryption).digest()[:_NAME_SIZE]


def _number(number: int) -> bytes:
    # One more than the highest counter has 33 bits.
    return number.to_bytes(_NUMBER_SIZE, "big")
