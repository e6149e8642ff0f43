from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elec_meter.errors import (
    CorruptError,
    NewerSchemaError,
    NotADataDirectoryError,
    RepairError,
    StorageError,
)
from elec_meter.storage import DATABASE_NAME, Storage
from tests.elec_meter.storage.repairs import PAGE, Sound, assert_repaired


class Damage(NamedTuple):
    """What is done to a file, at places that are shares of its length."""

    kind: str
    shares: list[float]
    mask: int

    def to(self, content: bytearray) -> None:
        """Zero pages, flip bytes, or cut off the end."""
        places = [int(share * len(content)) for share in self.shares]
        if self.kind == "cut":
            del content[places[0] :]
            return
        for place in places:
            if self.kind == "byte":
                content[place] ^= self.mask
            else:
                begin = place // PAGE * PAGE
                content[begin : begin + PAGE] = bytes(PAGE)


damages = st.builds(
    Damage,
    kind=st.sampled_from(["page", "byte", "cut"]),
    shares=st.lists(st.floats(0, 0.9999), min_size=1, max_size=3),
    mask=st.integers(1, 255),
)


def check_damage(directory: Path, sound: Sound, damage: Damage) -> None:
    """Opened or refused, repaired or refused, and no register fell."""
    content = bytearray(sound.content)
    damage.to(content)
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


@given(damage=damages)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_damage_is_repaired_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound_database: Sound, damage: Damage
) -> None:
    """Wherever bytes were changed, there is a directory that balances, or one plain sentence."""
    check_damage(tmp_path_factory.mktemp("damaged"), sound_database, damage)


@pytest.mark.slow
@given(damage=damages)
@settings(max_examples=1_000, suppress_health_check=[HealthCheck.too_slow])
def test_any_of_a_thousand_damages_is_repaired_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound_database: Sound, damage: Damage
) -> None:
    """The same, long enough to meet most bytes that matter."""
    check_damage(tmp_path_factory.mktemp("damaged"), sound_database, damage)


def test_damage_of_which_sqlite_tells_no_text_is_refused(
    tmp_path: Path, sound_database: Sound
) -> None:
    """A table's name that is no text any more is one plain sentence too."""
    content = sound_database.content.replace(b"ledger_run", b"ledger_\xff\xffn", 1)
    (tmp_path / DATABASE_NAME).write_bytes(content)
    with pytest.raises(CorruptError, match="elec-meter repair"):
        Storage.open(tmp_path)
    with pytest.raises(RepairError):
        assert_repaired(tmp_path, sound_database)
