"""A unit is paired and exchanged by commands at a meter that runs; the demo's radio brings it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from elec_meter.cli import pairing
from elec_meter.cli.main import main
from elec_meter.control import Request, TakePairingStep, decode_request, encode_request
from elec_meter.demo.spare import LABEL, MPRN
from elec_meter.demo.world import UNIT_SERIAL
from elec_meter.errors import (
    CheckpointFailedError,
    ControlError,
    PairingRefusedError,
    ReceiverMissingError,
)
from elec_meter.pairing_desk import PairingDesk
from tests.elec_meter.cli.test_control import run
from tests.elec_meter.demo.test_controls import MINUTE
from tests.elec_meter.panel.test_pairing import Installing
from tests.elec_meter.test_pairing_desk import failing

METER = ("--mprn", MPRN, "--meter-serial", "G4A123", "--weight", "0.01 m3", "--dial", "01234.567")


class Reached(Installing):
    """A house whose meter the commands reach, and in which time passes while they wait."""

    def __init__(self, label: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.label = label
        label.write_text(LABEL.printed_text)
        self.live(20 * MINUTE)
        self.controls.steer({"unit": "press"})
        monkeypatch.setattr(pairing, "order", self.order)
        monkeypatch.setattr(
            pairing.PairingLine, "sleep", lambda *_: self.live(timedelta(seconds=1))
        )

    def order(self, _: Path, request: Request) -> dict[str, Any]:
        """What the meter replies, to what comes by its socket."""
        reply = self.orders.perform(decode_request(encode_request(request)))
        assert isinstance(request, TakePairingStep)
        if request.step["request"] == "pair.meter":
            self.controls.steer({"unit": "burn"})
        return reply

    def command(self, *words: str, **how: Any) -> str:
        """What a command prints."""
        return run("control", *words, "--data", "home", "--label", self.label, *METER, **how)


@pytest.fixture
def reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reached:
    """A meter with one unit, and the label of another."""
    return Reached(tmp_path / "unit.label", monkeypatch)


def test_a_unit_is_paired_by_a_script(reached: Reached) -> None:
    """Without a question; beside another unit only on a channel that it names."""
    words = ("pair", "--yes", "--json", "--installer", "Ada")
    assert "feeds the channel gas already" in reached.command(*words, code=1)
    done = json.loads(reached.command(*words, "--channel", "gas_2"))
    assert ("pairing", "gas_2", LABEL.serial, "Ada", None) == tuple(
        done[name] for name in ("kind", "channel", "serial", "installer", "replaces")
    )
    units = reached.world.meter.config.gas_units
    assert [(UNIT_SERIAL, "gas"), (LABEL.serial, "gas_2")] == [
        (unit.serial, unit.channel) for unit in units
    ]
    assert "paired already" in reached.command(*words, "--channel", "gas_3", code=1)


def test_a_pairing_without_a_test_burn(reached: Reached) -> None:
    """For a meter of another flow: both are said as the collector's commands take them."""
    words = ("--channel", "gas_2", "--test-pulses", "0", "--max-flow", "4000", "--json")
    assert LABEL.serial == json.loads(reached.command("pair", *words))["serial"]
    assert [6000, 4000] == [unit.max_flow_l_h for unit in reached.world.meter.config.gas_units]


def test_a_file_without_a_label_is_named(reached: Reached) -> None:
    """And nothing has begun."""
    reached.label.write_text("HHY2:1")
    sentence = reached.command("pair", "--yes", "--json", code=1)
    assert sentence.startswith(f"{reached.label}: ")
    reached.label.unlink()
    sentence = reached.command("pair", "--yes", "--json", code=1)
    assert f"{reached.label} cannot be read: No such file or directory." == sentence
    assert reached.desk.pairing() is None


@pytest.mark.parametrize("words", [("pair",), ("exchange", UNIT_SERIAL)], ids=" ".join)
def test_a_script_is_told_what_is_missing(words: tuple[str, ...]) -> None:
    """Of a unit that has a label: a meter takes no other."""
    result = CliRunner().invoke(main, ["control", *words, "--data", "home", "--json"])
    assert 2 == result.exit_code
    assert "it needs --label, --mprn, --meter-serial, --weight, --dial, --yes." in result.stderr


def test_a_unit_is_exchanged_at_a_terminal(reached: Reached) -> None:
    """Its register goes on; the dial is compared with a person's word."""
    before = reached.world.meter.ledger.total("gas")
    said = reached.command("exchange", UNIT_SERIAL, "--dial-unit", "m3", text="y\nAda\n")
    assert "Does the dial show" in said
    assert f"The unit {LABEL.serial} took the place of {UNIT_SERIAL} on gas" in said
    assert [LABEL.serial] == [unit.serial for unit in reached.world.meter.config.gas_units]
    assert before < reached.world.meter.ledger.total("gas")


def test_who_gives_up_leaves_nothing_behind(reached: Reached) -> None:
    """No pairing is under way afterwards, and the next one begins."""
    config = reached.world.meter.config
    words = ["control", "exchange", UNIT_SERIAL, "--label", str(reached.label), *METER]
    words += ["--dial-unit", "m3", "--data", "home"]
    result = CliRunner().invoke(main, words, catch_exceptions=False, input="")
    assert (1, "Aborted!") == (result.exit_code, result.stderr.strip())
    assert "Does the dial show" in result.stdout
    assert "ended" == reached.desk.pairing()["state"]  # type: ignore[index]  # it has begun
    assert config == reached.world.meter.config


def test_another_pairing_that_is_under_way_is_not_ended_unasked(reached: Reached) -> None:
    """A script is refused; at a terminal somebody is asked."""
    reached.begin()
    sentence = reached.command("pair", "--yes", "--json", code=1)
    hint = "--give-up-other gives it up"
    assert f"a pairing of the unit {LABEL.serial} is under way: {hint}." == sentence
    assert "signal" == reached.desk.pairing()["state"]  # type: ignore[index]  # it has begun
    said = reached.command("pair", "--dial-unit", "m3", text="y\ny\ny\nAda\n")
    assert f"A pairing of the unit {LABEL.serial} is under way. Give it up?" in said
    assert f"The unit {LABEL.serial} is paired to gas_2" in said


def test_a_script_that_says_so_gives_up_another_pairing(reached: Reached) -> None:
    """Such as one whose own computer was switched off in the midst of it."""
    reached.begin()
    words = ("pair", "--yes", "--json", "--channel", "gas_2", "--give-up-other")
    assert LABEL.serial == json.loads(reached.command(*words))["serial"]


@pytest.mark.parametrize("last", ["pair.begin", "pair.status", "pair.meter", "pair.confirm"])
def test_a_command_whose_pairing_was_given_up_leaves_the_next_alone(
    reached: Reached, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """It says so and ends; neither its dial nor its end is the other pairing's."""
    begun: list[str] = []

    def taken_over(data_dir: Path, request: Request) -> dict[str, Any]:
        reply = reached.order(data_dir, request)
        assert isinstance(request, TakePairingStep)
        is_own = "pairing" in request.step or request.step["request"] == "pair.begin"
        if request.step["request"] == last and is_own and not begun:
            reached.pair(request="pair.cancel")
            begun.append(reached.begin()["pairing"])
        return reply

    monkeypatch.setattr(pairing, "order", taken_over)
    words = ["control", "exchange", UNIT_SERIAL, "--label", str(reached.label), *METER]
    words += ["--dial-unit", "m3", "--data", "home"]
    result = CliRunner().invoke(main, words, input="y\nAda\n" * 3)
    assert 1 == result.exit_code
    assert result.stderr.endswith("Error: another pairing is under way: this one was given up.\n")
    status = reached.desk.pairing()
    assert status is not None
    assert (begun[0], "gas_2") == (status["pairing"], status["channel"])
    assert status["state"] in ("signal", "meter")  # as far as it came without its installer


def test_a_disk_that_is_full_at_the_end_leaves_the_unit_paired(
    reached: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says so, and what it does at its end gives nothing up."""

    def full(data_dir: Path, request: Request) -> dict[str, Any]:
        assert isinstance(request, TakePairingStep)
        if request.step["request"] == "pair.commit":
            failing(monkeypatch, after=1, error=CheckpointFailedError)
        return reached.order(data_dir, request)

    monkeypatch.setattr(pairing, "order", full)
    said = reached.command("pair", "--yes", "--json", "--channel", "gas_2", code=1)
    assert said.startswith(f"the unit {LABEL.serial} is paired to gas_2, which is not durable")
    assert LABEL.serial in reached.world.meter.collector.serials
    assert "paired" == reached.desk.pairing()["state"]  # type: ignore[index]  # it has begun


def test_a_meter_without_a_receiver_pairs_nothing(reached: Reached) -> None:
    """It says so at once, in place of asking for another label."""
    meter = reached.world.meter
    deaf = PairingDesk(meter, lambda: reached.world.now, meter.checkpoint, has_receiver=False)
    reached.orders._pair = deaf.take_step
    assert "no receiver" in reached.command("pair", "--yes", "--json", code=1)
    with pytest.raises(ReceiverMissingError):
        reached.order(Path(), TakePairingStep(step={"request": "pair.begin"}))


def test_a_step_that_is_refused_is_of_a_class_of_its_own(reached: Reached) -> None:
    """What a command is told of it is not what it is told of a line that broke."""
    with pytest.raises(PairingRefusedError, match="no pairing is under way"):
        reached.order(Path(), TakePairingStep(step={"request": "pair.commit"}))


@pytest.mark.parametrize("lost", ["pair.status", "pair.begin", "pair.meter", "pair.commit"])
def test_a_line_that_breaks_ends_the_command(
    reached: Reached, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """With its sentence: no other label would do, so nobody is asked for one."""
    steps: list[str] = []

    def broken(data_dir: Path, request: Request) -> dict[str, Any]:
        assert isinstance(request, TakePairingStep)
        steps.append(request.step["request"])
        if request.step["request"] == lost:
            raise ControlError("the meter gave no answer: it ended the connection")
        return reached.order(data_dir, request)

    monkeypatch.setattr(pairing, "order", broken)
    words = ("control", "pair", "--data", "home", "--label", str(reached.label), *METER)
    result = CliRunner().invoke(
        main, [*words, "--dial-unit", "m3"], catch_exceptions=False, input="y\ny\nAda\n" * 3
    )
    assert 1 == result.exit_code
    assert result.stderr.endswith("Error: the meter gave no answer: it ended the connection.\n")
    assert "refused" not in result.stdout
    assert [] == [step for step in steps[steps.index(lost) + 1 :] if step != "pair.cancel"]


def test_no_label_is_seen_in_a_request() -> None:
    """Its key is in it."""
    assert "<TakePairingStep>" == repr(TakePairingStep(step={"label": LABEL.qr_text}))
