"""What the unit was told last, kept so that a loss of power leaves the old or the new, whole."""

from pulse_unit.store import CONFIG, CONFIG_BANK, CONFIG_WORDS, Store


class SettingsStore:
    """Two banks of words in the store: the one that is not in force is written, then it is."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> "bytes | None":
        """Return the settings in force, or None if there never were any but the factory's."""
        bank = self._store.get(CONFIG_BANK)
        if not bank:
            return None
        first = CONFIG + (bank - 1) * CONFIG_WORDS
        data = b""
        for key in range(first, first + CONFIG_WORDS):
            data += self._store.get(key).to_bytes(4, "little")
        return data

    def save(self, data: bytes) -> None:
        """Put other settings, of 24 bytes, in force.

        Raises:
            StoreError: they are not persisted, and the old ones still hold.
        """
        bank = 2 if self._store.get(CONFIG_BANK) == 1 else 1
        first = CONFIG + (bank - 1) * CONFIG_WORDS
        for word in range(CONFIG_WORDS):
            value = int.from_bytes(data[4 * word : 4 * word + 4], "little")
            self._store.put(first + word, value)
        self._store.put(CONFIG_BANK, bank)
