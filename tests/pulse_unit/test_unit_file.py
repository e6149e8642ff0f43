from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pulse_unit.cli.main import main
from pulse_unit.errors import ConfigError
from pulse_unit.hal.mp_bonds import SECRETS_MAX, BondFile
from pulse_unit.hal.unit_file import UnitFile

GOOD = {"serial": "00000001", "key": "0f" * 16, "passkey": "012345"}


def read(folder: Path, told: Any) -> UnitFile:
    """What a board makes of such a file."""
    path = folder / "unit.json"
    path.write_text(json.dumps(told))
    return UnitFile(str(path))


def test_the_label_is_the_file(tmp_path: Path) -> None:
    """What `pulse-unit label --json` prints is what a board reads."""
    printed = CliRunner().invoke(main, ["label", "--serial", "00000007", "--json"]).output
    told = read(tmp_path, json.loads(printed))
    assert ("00000007", 16, {}) == (told.serial, len(told.key), told.pins)
    assert int(json.loads(printed)["passkey"]) == told.passkey


def test_configuration_and_pins_are_taken(tmp_path: Path) -> None:
    """They are the objects `config` and `pins`."""
    told = read(tmp_path, {**GOOD, "config": {"initial_index_l": 5}, "pins": {"reed": "D2"}})
    assert (5, {"reed": "D2"}, 12_345) == (told.config.initial_index_l, told.pins, told.passkey)


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {**GOOD, "serial": "1"},
        {**GOOD, "key": "0f"},
        {**GOOD, "key": "zz" * 16},
        {**GOOD, "key": 5},
        {**GOOD, "passkey": "1234567"},
        {**GOOD, "passkey": None},
        {**GOOD, "config": {"no_such": 1}},
        {**GOOD, "config": {"advert_period_s": -1}},
    ],
)
def test_a_file_that_describes_no_unit_is_refused(tmp_path: Path, told: Any) -> None:
    """With an error of the configuration, whatever is wrong with it."""
    with pytest.raises(ConfigError):
        read(tmp_path, told)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(ConfigError, match=r"unit\.json"):
        UnitFile(str(tmp_path / "unit.json"))


def test_secrets_survive(tmp_path: Path) -> None:
    """They are found again by kind and key, or by kind and place."""
    path = str(tmp_path / "bonds.json")
    bonds = BondFile(path)
    assert bonds.put(1, b"a", b"secret")
    assert bonds.put(1, b"b", b"other")
    assert bonds.put(2, b"a", b"third")
    bonds.save()
    again = BondFile(path)
    assert (b"secret", b"third") == (again.get(1, 0, b"a"), again.get(2, 0, b"a"))
    assert (b"other", None) == (again.get(1, 1, None), again.get(1, 2, None))


def test_secrets_are_replaced_and_forgotten(tmp_path: Path) -> None:
    """Forgetting what is not there says so; only the newest are kept."""
    bonds = BondFile(str(tmp_path / "bonds.json"))
    bonds.put(1, b"a", b"old")
    bonds.put(1, b"a", b"new")
    assert b"new" == bonds.get(1, 0, b"a")
    assert (True, False) == (bonds.put(1, b"a", None), bonds.put(1, b"a", None))
    for number in range(SECRETS_MAX + 1):
        bonds.put(1, bytes([number]), b"x")
    assert None is bonds.get(1, 0, b"\0")
    assert b"x" == bonds.get(1, 0, b"\1")


def test_a_spoilt_file_of_secrets_is_empty(tmp_path: Path) -> None:
    """Everybody pairs again; the unit counts on."""
    path = tmp_path / "bonds.json"
    path.write_text('[[1, "zz"]]')
    assert None is BondFile(str(path)).get(1, 0, None)
