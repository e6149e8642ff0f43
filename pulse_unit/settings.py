"""The settings that a command has told, in two banks of the store, and those of a wired bus."""

from pulse_unit.store import CONFIG_A, CONFIG_B, CONFIG_BANK, WIRED, Store
from shared.wire.settings import SETTINGS_LENGTH

_WORDS = SETTINGS_LENGTH // 4
_FIRST_KEYS = {1: CONFIG_A, 2: CONFIG_B}


class SettingsStore:
    """Keeps 24 bytes of settings: a change is there as a whole or not at all.

    The words go into the bank that does not hold, and then one record lets it hold.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> "bytes | None":
        """Return the settings that were saved last, or None for those of the factory."""
        first = _FIRST_KEYS.get(self._store.get(CONFIG_BANK))
        if first is None:
            return None
        settings = bytearray()
        for key in range(first, first + _WORDS):
            settings += self._store.get(key).to_bytes(4, "little")
        return bytes(settings)

    def save(self, settings: bytes) -> None:
        """Persist settings.

        Raises:
            ValueError: these are not 24 bytes.
            StoreError: they are not persisted, and the old ones hold.
        """
        if len(settings) != SETTINGS_LENGTH:
            raise ValueError("settings have %d bytes" % SETTINGS_LENGTH)
        if settings == self.load():
            return
        bank = 2 if self._store.get(CONFIG_BANK) == 1 else 1
        for word in range(_WORDS):
            value = int.from_bytes(settings[4 * word : 4 * word + 4], "little")
            self._store.put(_FIRST_KEYS[bank] + word, value)
        self._store.put(CONFIG_BANK, bank)


class WireSettings:
    """The address and the speed of `pulse_unit.slave.WiredSlave`: one word of 16 bits."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> int:
        """Return what was stored, 0 if nothing ever was."""
        return self._store.get(WIRED)

    def store(self, word: int) -> None:
        """Persist ``word``; when this returns, it survives.

        Raises:
            StoreError: it is not persisted, and the word before still is.
        """
        self._store.put(WIRED, word)
