from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.access import Gate, VerifierError
from elec_meter.config import (
    MeterConfig,
    SwitchConfig,
    config_from_toml,
    config_to_json,
    config_to_toml,
    demo_config,
    encode_change,
)
from elec_meter.control import (
    AdjustClock,
    ApplyConfig,
    ChangePassword,
    Checkpoint,
    EndBilling,
    GetStatus,
    Orders,
    ReceivePrices,
    Request,
    ResetDemand,
    RollBack,
    SetClock,
    ShowConfig,
    ShowHistory,
    ShowPasswords,
    SynchroniseClock,
)
from elec_meter.control.applied import MOST_KEYS
from elec_meter.errors import (
    CheckpointFailedError,
    ClockError,
    ConfigError,
    ControlError,
    DemandLockedError,
    MeterError,
    NotAllowedError,
    StorageError,
)
from elec_meter.events import EventCode
from elec_meter.ledger.audit import imbalances

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
DEMO = demo_config()
OTHER = replace(
    DEMO,
    tariff=replace(
        DEMO.tariff,
        import_=replace(DEMO.tariff.import_, switches=(SwitchConfig(at="01:00", rate=1),)),
    ),
)


class Desk:
    """A meter and its orders, at an instant that a test moves."""

    def __init__(self, storage: Storage, now: datetime = NOON) -> None:
        self.now = now
        self.meter = Meter(storage.load_config() or DEMO, storage, now)
        self.meter.checkpoint()
        self.orders = Orders(
            self.meter, now=lambda: self.now, durable=self.durable, status=lambda: {"pid": 7}
        )

    def durable(self) -> None:
        """As a runtime's."""
        self.meter.handle_timer(self.now)
        self.meter.checkpoint()

    def perform(self, request: Request) -> dict[str, Any]:
        """A second later than before."""
        self.now += timedelta(seconds=1)
        return self.orders.perform(request)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """A directory."""
    with Storage.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def desk(storage: Storage) -> Desk:
    """The demo's meter, just powered up."""
    return Desk(storage)


def committed(desk: Desk, statement: str) -> list[Any]:
    """What another process finds in the database now."""
    assert desk.meter.storage.directory is not None
    other = sqlite3.connect(desk.meter.storage.directory / "meter.sqlite")
    rows = other.execute(statement).fetchall()
    other.close()
    return rows


FORMS: dict[str, Callable[[], ApplyConfig]] = {
    "toml": lambda: ApplyConfig(toml=config_to_toml(OTHER)),
    "document": lambda: ApplyConfig(document=msgspec.Raw(config_to_json(OTHER))),
    "change": lambda: ApplyConfig(change=encode_change(DEMO, OTHER).hex()),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_configuration_comes_in_three_forms(form: str, desk: Desk) -> None:
    """Each puts the same document in force, durably, and ends the billing period of a tariff."""
    assert {"number": 2, "changed": ["tariff"]} == desk.perform(FORMS[form]())
    assert OTHER == desk.meter.config
    assert [(2,)] == committed(desk, "SELECT max(number) FROM meter_configuration")
    assert {"number": 3, "changed": ["tariff"]} == desk.perform(RollBack(number=1))
    assert DEMO == desk.meter.config
    versions = desk.perform(ShowHistory())["versions"]
    assert [(3, True), (2, False), (1, False)] == [
        (each["number"], each["in_force"]) for each in versions
    ]
    assert "control socket, back to 1" == versions[0]["author"]
    assert 3 == versions[0]["level"]
    assert DEMO == config_from_toml(desk.perform(ShowConfig())["toml"])


def test_every_order_is_durable_before_its_reply(desk: Desk) -> None:
    """What a reply tells is in the database when it is given, and its event says who."""
    said = desk.perform(SetClock(utc=NOON + timedelta(hours=3)))
    assert {"meter_utc": "2026-04-01T15:00:00Z", "outstanding_s": 0} == said
    said = desk.perform(AdjustClock(by_s=-4))
    assert {"meter_utc": "2026-04-01T15:00:01Z", "outstanding_s": -4} == said
    said = desk.perform(SynchroniseClock(utc=NOON + timedelta(hours=3, seconds=5)))
    assert ("adjusted", 3) == (said["outcome"], said["outstanding_s"])
    assert {"ended_w": {"import": None, "export": None}} == desk.perform(ResetDemand())
    assert {"ended": True} == desk.perform(EndBilling())
    prices = [Decimal("1.005"), Decimal(-2)]
    assert {"prices": 2} == desk.perform(ReceivePrices(start=NOON, prices_p_kwh=prices))
    assert [1005, -2000] == [
        each.price_millipence for each in desk.meter.ledger.prices["import"].prices
    ]
    assert {} == desk.perform(Checkpoint())
    codes = [code for (code,) in committed(desk, "SELECT code FROM meter_event ORDER BY number")]
    assert [
        EventCode.FIRST_POWER_UP,
        EventCode.CLOCK_SET,
        EventCode.CLOCK_ADJUSTED,
        EventCode.CLOCK_ADJUSTED,
        EventCode.DEMAND_RESET,
        EventCode.BILLING_ENDED,
        EventCode.PRICES_RECEIVED,
    ] == codes
    texts = committed(desk, "SELECT text FROM meter_event WHERE number > 1")
    assert all("control socket" in text for (text,) in texts)
    assert [] == imbalances(desk.meter.ledger)


def test_the_status_says_who_runs(desk: Desk) -> None:
    """The meter's own and what is beside it."""
    status = desk.perform(GetStatus())
    assert ("00000001", 1, 7) == (status["serial"], status["config_number"], status["pid"])
    assert "2026-04-01T12:00:00Z" == status["meter_utc"]


REFUSED: dict[str, tuple[Request, type[MeterError]]] = {
    "below its level": (SetClock(utc=NOON, level=2), NotAllowedError),
    "of the factory": (ApplyConfig(toml='serial = "00000002"'), NotAllowedError),
    "two forms": (ApplyConfig(toml="", change="00"), ConfigError),
    "no form": (ApplyConfig(), ControlError),
    "no hexadecimal": (ApplyConfig(change="zz"), ControlError),
    "no meter": (ApplyConfig(toml="colour = 1"), ConfigError),
    "no version": (RollBack(number=9), ConfigError),
    "too far": (AdjustClock(by_s=10**30), ClockError),
    "no such year": (SetClock(utc=datetime(1, 1, 1, tzinfo=UTC)), ControlError),
    "far away": (SynchroniseClock(utc=NOON + timedelta(hours=1), level=1), ClockError),
    "absurd": (ReceivePrices(start=NOON, prices_p_kwh=[Decimal("1.0005")]), ControlError),
    "no number": (ReceivePrices(start=NOON, prices_p_kwh=[Decimal("NaN")]), ControlError),
    "no channel": (ReceivePrices(start=NOON, prices_p_kwh=[Decimal(1)], channel="x"), MeterError),
    "inside": (
        ReceivePrices(start=NOON + timedelta(minutes=1), prices_p_kwh=[Decimal(1)]),
        MeterError,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_order_changes_nothing(name: str, desk: Desk) -> None:
    """It has the meter's own error, and may be tried again under its key."""
    order, error = REFUSED[name]
    order = replace(order, key="again")
    for _ in range(2):
        with pytest.raises(error):
            desk.perform(order)
    assert (DEMO, 1) == (desk.meter.config, desk.meter.config_version)
    assert desk.meter.clock.read(desk.now) == desk.now
    assert {} == desk.meter.ledger.prices
    assert {"ended": True} == desk.perform(EndBilling(key="again"))


@pytest.mark.parametrize("name", ["below its level", "of the factory"])
def test_a_refusal_for_want_of_a_level_is_in_the_log(name: str, desk: Desk) -> None:
    """Durably, with what was asked for."""
    with pytest.raises(NotAllowedError):
        desk.perform(REFUSED[name][0])
    ((text,),) = committed(
        desk, f"SELECT text FROM meter_event WHERE code = {EventCode.ORDER_REFUSED:d}"
    )
    assert "may not" in text


def test_a_key_applies_once_through_a_restart(tmp_path: Path) -> None:
    """The first reply is given again, and nothing happens."""
    order = AdjustClock(by_s=30, key="thirty")
    with Storage.open(tmp_path) as storage:
        desk = Desk(storage)
        first = desk.perform(order)
        desk.now += timedelta(minutes=40)
        assert first | {"repeated": True} == desk.perform(order)
        left_s = desk.meter.clock.outstanding_s(desk.now)
        assert left_s < 30
        now = desk.now
    with Storage.open(tmp_path) as storage:
        desk = Desk(storage, now)
        assert first | {"repeated": True} == desk.perform(order)
        assert left_s == desk.meter.clock.outstanding_s(now)
        with pytest.raises(ControlError, match="the key 'thirty' was used for another order"):
            desk.perform(AdjustClock(by_s=31, key="thirty"))


def test_an_order_and_its_key_are_one_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut at any commit finds both or neither."""
    seen = []
    commit = Storage.checkpoint

    def watched(storage: Storage, *args: Any) -> None:
        commit(storage, *args)
        keys = committed(desk, "SELECT value FROM meter_state WHERE key = 'control orders'")
        numbers = committed(desk, "SELECT max(number) FROM meter_configuration")
        seen.append((bool(keys) and b"tariff" in keys[0][0], numbers[0][0] == 2))

    monkeypatch.setattr(Storage, "checkpoint", watched)
    desk.perform(replace(FORMS["toml"](), key="k"))
    assert [(True, True)] == seen


def test_an_order_that_the_disk_would_not_take_is_not_done_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply is an error; sent again once the disk recovers, the key finds the order done."""
    order = replace(FORMS["toml"](), key="k")
    with monkeypatch.context() as full:

        def refuse(*_: object) -> None:
            raise CheckpointFailedError("the disk is full")

        full.setattr(Storage, "checkpoint", refuse)
        for _ in range(2):
            with pytest.raises(CheckpointFailedError, match="order is taken, but not durable"):
                desk.perform(order)
    assert {"number": 2, "changed": ["tariff"], "repeated": True} == desk.perform(order)
    assert [(2,)] == committed(desk, "SELECT max(number) FROM meter_configuration")


def test_a_refused_order_is_refused_on_a_full_disk_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that it was taken, and its entry in the log waits for the disk."""
    far = SynchroniseClock(utc=NOON + timedelta(hours=1), level=1)
    with monkeypatch.context() as full:

        def refuse(*_: object) -> None:
            raise CheckpointFailedError("the disk is full")

        full.setattr(Storage, "checkpoint", refuse)
        with pytest.raises(NotAllowedError):
            desk.perform(EndBilling(level=1))
        with pytest.raises(ClockError, match="takes level 3"):
            desk.perform(far)
    assert EventCode.ORDER_REFUSED in {event.code for event in desk.meter.storage.events()}


def test_a_second_reset_is_locked_out(desk: Desk) -> None:
    """Unless it is the same order again."""
    first = desk.perform(ResetDemand(key="a"))
    assert first | {"repeated": True} == desk.perform(ResetDemand(key="a"))
    with pytest.raises(DemandLockedError):
        desk.perform(ResetDemand(key="b"))


def test_the_oldest_keys_are_forgotten(desk: Desk) -> None:
    """256 are remembered; a question's key is no order's."""
    for number in range(MOST_KEYS):
        desk.perform(EndBilling(key=f"{number}"))
    desk.perform(GetStatus(key="question"))
    assert "repeated" in desk.perform(EndBilling(key="0"))
    desk.perform(EndBilling(key="more"))
    assert "repeated" not in desk.perform(EndBilling(key="0"))


def test_damaged_keys_are_told(storage: Storage) -> None:
    """What is kept there is checked like everything else."""
    storage.put_state("control orders", b"\x93nonsense")
    with pytest.raises(StorageError, match="the keys of earlier orders are damaged"):
        Desk(storage)


def test_the_meter_is_brought_up_to_now_first(desk: Desk) -> None:
    """An order at ten past finds the half-hour before it closed."""
    desk.now += timedelta(minutes=40)
    desk.perform(
        ApplyConfig(toml=config_to_toml(MeterConfig(gas_units=DEMO.gas_units, serial=DEMO.serial)))
    )
    assert 1_775_046_600 == desk.meter.ledger.closed_s


def test_a_password_is_changed_by_its_verifier(storage: Storage) -> None:
    """With its event; salt and levels can be asked for, and a meter without a gate has none."""
    desk = Desk(storage)
    with pytest.raises(ControlError, match="without passwords"):
        desk.perform(ShowPasswords())
    gate = Gate(lambda: "00000001", storage.record_event)
    desk.orders = Orders(
        desk.meter, now=lambda: desk.now, durable=desk.durable, status=dict, gate=gate
    )
    assert {"salt": "", "levels": []} == desk.perform(ShowPasswords())
    salt, key = "ab" * 16, "cd" * 32
    assert {} == desk.perform(ChangePassword(of=2, salt=salt, stored_key=key))
    assert {"salt": salt, "levels": [2]} == desk.perform(ShowPasswords())
    for order, error in (
        (ChangePassword(of=3, salt=salt, stored_key=key, level=2), NotAllowedError),
        (ChangePassword(of=3, salt="00" * 16, stored_key=key), VerifierError),
        (ChangePassword(of=3, salt="x", stored_key=key), VerifierError),
    ):
        with pytest.raises(error):
            desk.perform(order)
    assert {"salt": salt, "levels": [2]} == desk.perform(ShowPasswords())
    ((text,),) = committed(
        desk, f"SELECT text FROM meter_event WHERE code = {EventCode.PASSWORD_CHANGED:d}"
    )
    assert "the password of level 2 was changed by control socket" == text


@pytest.mark.parametrize("year", [1970, 1999, 2000, 2009, 2100])
def test_no_clock_is_set_to_where_there_is_no_meter(desk: Desk, year: int) -> None:
    """Half-hours of decades would follow; nor does anything cost something there."""
    then = datetime(year, 1, 1, tzinfo=UTC)
    for order in (
        SetClock(utc=then),
        SynchroniseClock(utc=then),
        ReceivePrices(start=then, prices_p_kwh=(Decimal(1),)),
    ):
        with pytest.raises(ControlError, match="an instant is in 2010 to 2099"):
            desk.orders.perform(order)
    assert NOON == desk.meter.clock.read(desk.now)
