from __future__ import annotations

import pytest

from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.settings import SETTINGS_LENGTH, SettingsStore
from pulse_unit.store import BOOT, COUNT, Store
from tests.pulse_unit.tearing import RecordingNvm

PAGES, PAGE = 3, 256  # room for two changes of the settings in a page
SAVED = [bytes([number]) * SETTINGS_LENGTH for number in range(1, 17)]


def kept(image: bytes) -> bytes | None:
    """The settings in a memory."""
    return SettingsStore(Store(RecordingNvm(image, PAGE), 0, PAGES)).load()


def test_settings_are_the_factorys_until_others_are_saved() -> None:
    """Nothing is told until settings are saved; then the newest hold."""
    nvm = MemoryNvm(PAGES, PAGE)
    settings = SettingsStore(Store(nvm, 0, PAGES))
    assert None is settings.load()
    settings.save(SAVED[0])
    settings.save(SAVED[1])
    assert SAVED[1] == settings.load() == kept(bytes(nvm.image))


def test_settings_that_are_kept_already_cost_no_write() -> None:
    """Saving the same settings again does not wear the memory."""
    nvm = MemoryNvm(PAGES, PAGE)
    settings = SettingsStore(Store(nvm, 0, PAGES))
    settings.save(SAVED[0])
    before = nvm.operations
    settings.save(SAVED[0])
    assert before == nvm.operations


@pytest.mark.parametrize("length", [0, 23, 25])
def test_settings_of_another_length_are_refused(length: int) -> None:
    """Settings are 24 bytes."""
    with pytest.raises(ValueError, match="24 bytes"):
        SettingsStore(Store(MemoryNvm(PAGES, PAGE), 0, PAGES)).save(bytes(length))


def test_power_cut_leaves_the_old_settings_or_the_new() -> None:
    """Whenever the power goes, and again at the next attempt, settings are never a mixture."""
    nvm = RecordingNvm(b"\xff" * (PAGES * PAGE), PAGE)
    store = Store(nvm, 0, PAGES)
    settings = SettingsStore(store)
    old: bytes | None = None
    for number, new in enumerate(SAVED):
        store.put(COUNT, number)
        nvm.cuts.clear()
        settings.save(new)
        for place, cut in enumerate(nvm.cuts):
            for extent, image in cut.images(number * 1000 + place):
                assert kept(image) in (old, new), f"settings {number}, {extent} in {place}"
                if number % 6 == 0:
                    demand_second_cut(image, old, new)
        assert new == kept(bytes(nvm.image))
        old = new
    assert 2 <= min(nvm.erases)


def demand_second_cut(image: bytes, old: bytes | None, new: bytes) -> None:
    """Boot after a cut, save once more, and cut that too."""
    again = RecordingNvm(image, PAGE)
    store = Store(again, 0, PAGES)
    found = SettingsStore(store).load()
    store.put(BOOT, store.get(BOOT) + 1)
    SettingsStore(store).save(new)
    for place, cut in enumerate(again.cuts):
        for extent, torn in cut.images(place, torn=1):
            assert kept(torn) in (found, new), f"{extent} in {place}"
    assert new == kept(bytes(again.image))
