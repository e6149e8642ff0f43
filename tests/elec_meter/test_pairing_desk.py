"""The pairing desk of a meter: two who pair at once, one who never comes back, and a full disk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from elec_meter import Storage
from elec_meter.access import Level
from elec_meter.demo.spare import LABEL
from elec_meter.demo.world import UNIT_SERIAL
from elec_meter.errors import (
    CheckpointFailedError,
    ControlError,
    PairingRefusedError,
    StorageLostError,
)
from elec_meter.ledger.audit import imbalances
from elec_meter.pairing_desk import PATIENCE
from tests.elec_meter.demo.test_controls import MINUTE
from tests.elec_meter.panel.test_pairing import METER, Installing

OTHER = "another pairing is under way: this one was given up"
KEY = LABEL.key.hex().upper()


class TwoPairers(Installing):
    """A script that pairs by the control socket, at the meter where an installer pairs too."""

    def script(self, **step: Any) -> dict[str, Any]:
        """Take a step of the script's."""
        assert self.orders._pair is not None
        return self.orders._pair(step, Level.SUPPLIER, "control socket")

    def state(self) -> str:
        """What the pairing waits for."""
        return str(self.status()["state"])

    def status(self) -> dict[str, Any]:
        """Where the pairing is."""
        status = self.desk.pairing()
        assert status is not None
        return status

    def heard(self) -> dict[str, Any]:
        """Begin, and hear the unit."""
        begun = self.begin()
        self.live(MINUTE / 6)
        assert "meter" == self.state()
        return begun

    def ready(self) -> None:
        """Come as far as the commit."""
        self.heard()
        self.pair(**METER)
        self.controls.steer({"unit": "burn"})
        self.live(MINUTE)
        self.pair(request="pair.confirm", agrees=True)

    def live_until(self, instant: datetime) -> None:
        """Let time pass."""
        self.live(instant - self.world.now)


@pytest.fixture
def desk() -> TwoPairers:
    """A script and an installer at one meter."""
    return TwoPairers()


@pytest.mark.parametrize("step", ["status", "meter", "confirm", "commit", "cancel"])
def test_a_step_of_a_pairing_is_none_of_the_next(desk: TwoPairers, step: str) -> None:
    """Whoever gave way to another pairing is told so, and has touched nothing of it."""
    own = desk.script(request="pair.begin", exchanges=UNIT_SERIAL, label=LABEL.qr_text)["pairing"]
    desk.pair(request="pair.cancel")
    others = desk.heard()["pairing"]
    before = desk.status()

    given = {**METER, "agrees": True, "request": f"pair.{step}", "pairing": own}
    with pytest.raises(ControlError) as refused:
        desk.script(**given)

    assert (OTHER, ControlError) == (str(refused.value), type(refused.value))
    assert others == desk.status()["pairing"] != own
    assert before == desk.status()


def test_who_names_the_own_pairing_goes_on(desk: TwoPairers) -> None:
    """And so does an old client, which names none."""
    pairing = desk.heard()["pairing"]
    assert pairing == desk.script(request="pair.status", pairing=pairing)["pairing"]
    assert "setting" == desk.script(**METER, pairing=pairing)["state"]
    assert "ended" == desk.script(request="pair.cancel")["state"]


def test_who_was_given_up_is_told_so(desk: TwoPairers) -> None:
    """Also before another pairing begins, and no other dial is asked for."""
    pairing = desk.heard()["pairing"]
    desk.script(request="pair.cancel")
    with pytest.raises(ControlError, match="this pairing was given up") as refused:
        desk.pair(**METER, pairing=pairing)
    assert not isinstance(refused.value, PairingRefusedError)
    assert "ended" == desk.pair(request="pair.cancel", pairing=pairing)["state"]


def test_a_pairing_of_before_a_restart_is_none(desk: TwoPairers) -> None:
    """A meter that has just started knows of no pairing, and says so of any."""
    with pytest.raises(ControlError, match="no pairing is under way: this one was given up"):
        desk.pair(request="pair.commit", pairing="18f3c2a1b")


def test_a_pairing_without_a_step_for_an_hour_is_given_up(desk: TwoPairers) -> None:
    """Whoever looks on holds it not; then the next one begins."""
    end = desk.world.now + PATIENCE
    desk.heard()
    desk.live_until(end - timedelta(seconds=1))
    assert "meter" == desk.state()
    with pytest.raises(PairingRefusedError, match="under way already"):
        desk.script(request="pair.begin", label=LABEL.qr_text)
    desk.live_until(end)
    assert "signal" == desk.script(request="pair.begin", label=LABEL.qr_text)["state"]


def test_a_step_gives_another_hour(desk: TwoPairers) -> None:
    """The time is counted from the last step of the pairing, also with pulses to agree to."""
    desk.heard()
    desk.live(PATIENCE / 2)
    end = desk.world.now + PATIENCE
    desk.pair(**METER)
    desk.controls.steer({"unit": "burn"})
    desk.live_until(end - timedelta(seconds=1))
    assert "confirm" == desk.state()
    desk.live_until(end)
    assert "ended" == desk.state()


def failing(
    monkeypatch: pytest.MonkeyPatch, *, after: int, error: type[CheckpointFailedError]
) -> None:
    """Let so many checkpoints succeed, and none behind them."""
    real, checkpoints = Storage.checkpoint, iter(range(after))

    def checkpoint(storage: Storage, *args: Any) -> None:
        if next(checkpoints, None) is None:
            raise error("the disk is full")
        real(storage, *args)

    monkeypatch.setattr(Storage, "checkpoint", checkpoint)


def test_a_unit_paired_on_a_full_disk_is_paired(
    desk: TwoPairers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts, whoever paired it is told what is true, and it is durable when there is room."""
    desk.ready()
    meter = desk.world.meter
    with monkeypatch.context() as full:
        failing(full, after=1, error=CheckpointFailedError)
        for _ in range(2):
            with pytest.raises(CheckpointFailedError) as refused:
                desk.pair(request="pair.commit")
            assert (
                "the unit 00000002 is paired to gas_2, which is not durable before the disk takes"
                " it: the disk is full"
            ) == str(refused.value)
            assert "paired" == desk.state()
        assert "paired" == desk.pair(request="pair.cancel")["state"]  # as a command does behind it
    counted = desk.status()["count"] - desk.status()["base_count"]
    assert LABEL.serial == desk.pair(request="pair.commit")["certificate"]["serial"]
    assert [UNIT_SERIAL, LABEL.serial] == [unit.serial for unit in meter.config.gas_units]
    assert [*meter.collector.serials] == [UNIT_SERIAL, LABEL.serial]
    desk.live(60 * MINUTE)
    assert 0 < counted <= meter.ledger.total("gas_2")
    assert [] == imbalances(meter.ledger)


def test_a_unit_unpaired_on_a_full_disk_is_unpaired(
    desk: TwoPairers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is said, and not that it was refused."""
    with monkeypatch.context() as full:
        failing(full, after=1, error=CheckpointFailedError)
        sentence = "the unit 00000001 is unpaired from gas, which is not durable"
        with pytest.raises(CheckpointFailedError, match=sentence):
            desk.pair(request="unpair", serial=UNIT_SERIAL)
    with pytest.raises(ControlError, match=r"^the unit 00000001 was taken off this meter already"):
        desk.pair(request="unpair", serial=UNIT_SERIAL)


def test_room_that_comes_in_time_needs_no_word(
    desk: TwoPairers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed at first is durable when the reply leaves."""
    desk.ready()
    real, failures = Storage.checkpoint, iter([False, True])

    def checkpoint(storage: Storage, *args: Any) -> None:
        if next(failures, False):
            raise CheckpointFailedError("the disk is full")
        real(storage, *args)

    with monkeypatch.context() as full:
        full.setattr(Storage, "checkpoint", checkpoint)
        assert "pairing" == desk.pair(request="pair.commit")["certificate"]["kind"]


def test_a_disk_that_is_full_before_pairs_nothing(
    desk: TwoPairers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pairing waits as it did, and can be given up without room."""
    desk.ready()
    with monkeypatch.context() as full:
        failing(full, after=0, error=CheckpointFailedError)
        with pytest.raises(CheckpointFailedError, match=r"^the disk is full$"):
            desk.pair(request="pair.commit")
        assert "commit" == desk.state()
        assert [UNIT_SERIAL] == [*desk.world.meter.collector.serials]
        assert "ended" == desk.pair(request="pair.cancel")["state"]


def test_a_storage_that_is_lost_pairs_nothing(
    desk: TwoPairers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing will ever be durable: nobody is told that a unit is paired."""
    desk.ready()
    with monkeypatch.context() as lost:
        failing(lost, after=1, error=StorageLostError)
        with pytest.raises(StorageLostError, match=r"^the disk is full$"):
            desk.pair(request="pair.commit")
        assert "commit" == desk.state()


GROUPS = " ".join(KEY[at : at + 4] for at in range(0, 32, 4))


@pytest.mark.parametrize("typed", [KEY, KEY.lower(), GROUPS, LABEL.qr_text])
def test_no_refusal_shows_a_key(desk: TwoPairers, typed: str) -> None:
    """Whichever field it was typed into by mistake, it is not in the sentence."""
    sentences = []
    for step in (
        {"request": "unpair", "serial": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "channel": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "exchanges": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "medium": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "record": typed},
        {**METER, "dial": typed},
        {**METER, "dial_unit": typed},
        {**METER, "weight": typed},
        {**METER, "mprn": typed},
    ):
        with pytest.raises(ControlError) as refused:
            desk.pair(**step)
        sentences.append("".join(str(refused.value).split()).upper())
    assert [] == [each for each in sentences if KEY[:8] in each]
