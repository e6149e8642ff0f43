from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elec_meter.errors import NewerSchemaError, NotADataDirectoryError, RepairError, StorageError
from elec_meter.storage import DATABASE_NAME, Storage
from tests.elec_meter.storage.repairs import PAGE, Sound, assert_repaired

Damage = Callable[[bytearray], None]


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """Zeroed pages, flipped bytes, an end that is missing."""
    shares = draw(st.lists(st.floats(0, 0.9999), min_size=1, max_size=3))
    kind = draw(st.sampled_from(["page", "byte", "cut"]))
    mask = draw(st.integers(1, 255))

    def damage(content: bytearray) -> None:
        places = [int(share * len(content)) for share in shares]
        if kind == "cut":
            del content[places[0] :]
            return
        for place in places:
            if kind == "byte":
                content[place] ^= mask
            else:
                begin = place // PAGE * PAGE
                content[begin : begin + PAGE] = bytes(PAGE)

    return damage


def check_damage(directory: Path, sound: Sound, damage: Damage) -> None:
    """Opened or refused, repaired or refused, and no register fell."""
    content = bytearray(sound.content)
    damage(content)
    (directory / DATABASE_NAME).write_bytes(content)
    copy = directory / "copy"
    copy.mkdir()
    shutil.copy(directory / DATABASE_NAME, copy)
    try:
        Storage.open(copy).close()
    except StorageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are allowed
    shutil.rmtree(copy)
    try:
        report = assert_repaired(directory, sound)
    except (RepairError, NotADataDirectoryError, NewerSchemaError) as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are allowed
        assert bytes(content) == (directory / DATABASE_NAME).read_bytes()
        assert not list(directory.glob("*damaged*"))
        return
    if report.kept_as is not None:
        assert bytes(content) == (directory / report.kept_as).read_bytes()


@given(damage=damages())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_damage_is_repaired_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound_database: Sound, damage: Damage
) -> None:
    """Wherever bytes were changed, there is a directory that balances, or one plain sentence."""
    check_damage(tmp_path_factory.mktemp("damaged"), sound_database, damage)


@pytest.mark.slow
@given(damage=damages())
@settings(max_examples=1_000, suppress_health_check=[HealthCheck.too_slow])
def test_any_of_a_thousand_damages_is_repaired_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound_database: Sound, damage: Damage
) -> None:
    """The same, long enough to meet most bytes that matter."""
    check_damage(tmp_path_factory.mktemp("damaged"), sound_database, damage)
