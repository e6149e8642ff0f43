"""The pulse register: cyclic, and not resettable by anything."""

from pulse_unit.errors import StoreError
from pulse_unit.store import COUNT, Store
from shared.wire.grid import COUNT_MASK


class PulseRegister:
    """Pulses since the unit was made, modulo 2^32. A pulse counts when it is persisted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending = 0

    @property
    def count(self) -> int:
        """The persisted count: the only one ever told to anybody."""
        return self._store.get(COUNT)

    @property
    def pending(self) -> int:
        """Pulses that the memory has not taken yet; they are tried again with the next."""
        return self._pending

    def add(self, pulses: int) -> bool:
        """Add pulses; return whether all seen so far are persisted."""
        pending = self._pending + pulses
        try:
            self._store.put(COUNT, (self.count + pending) & COUNT_MASK)
        except StoreError:
            self._pending = pending
            return False
        self._pending = 0
        return True
