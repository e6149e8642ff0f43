"""The channel of a unit that is paired without a word of it: the lowest that is free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector import InstallerAnswers, PairingError, install_by_script, lowest_free_channel
from shared.label import UnitLabel
from tests.collector.frames import KEY, SERIAL
from tests.collector.test_cli_pairing import METER, pair, run


@pytest.mark.parametrize(
    ("taken", "expected"),
    [((), "gas"), (("gas", "water"), "gas_2"), (("gas_2", "gas", "gas_4"), "gas_3")],
)
def test_the_lowest_free_channel(taken: tuple[str, ...], expected: str) -> None:
    """The first of gas, gas_2 and so on that no unit feeds."""
    assert expected == lowest_free_channel(taken)


class Refusing:
    """A line that refuses all, and knows what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Refuse it."""
        self.asked.append(request)
        raise PairingError("not today")

    def sleep(self, seconds: float) -> None:
        """Nothing is waited for."""


@pytest.mark.parametrize(
    ("channel", "asked"), [(None, "gas"), ("", "gas"), ("gas_2", "gas_2")], ids=repr
)
def test_a_script_begins_with_the_first_channel(channel: str | None, asked: str) -> None:
    """Unless it names another; what it was given stays as it was."""
    line, given = Refusing(), InstallerAnswers(label="a label", channel=channel)
    with pytest.raises(PairingError):
        install_by_script(line, given)
    assert [asked] == [request["channel"] for request in line.asked]
    assert InstallerAnswers(label="a label", channel=channel) == given


@pytest.mark.usefixtures("hasty")
def test_a_unit_beside_another_gets_a_channel_of_its_own(tmp_path: Path, call: Path) -> None:
    """The lowest that is free, which a channel is again whose unit was taken off."""
    home = tmp_path / "home"
    assert "gas" == json.loads(pair(home, call).stdout)["channel"]
    other = UnitLabel("00000002", KEY, "123456")
    words = ["--data", home, "--replay", call, "--yes", *METER, "--dial", "1"]
    label = home / "other.label"
    label.write_text(other.qr_text)
    result = run("pair", *words, "--label", label, input="n\n")
    assert 1 == result.exit_code
    assert "takes the place of another is exchanged, and not paired beside it." in result.stdout
    assert "Pair this one to the channel gas_2? [Y/n]" in result.stdout
    assert 0 == run("unpair", SERIAL, "--data", home, "--json").exit_code
    assert "gas" == json.loads(pair(home, call, dial="01234.597").stdout)["channel"]
