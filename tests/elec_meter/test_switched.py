"""Contactor and limiter of a whole meter."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from elec_meter import Meter, MeterConfig, Storage, at_rest, demo_config
from elec_meter.access import Level
from elec_meter.config import ContactorConfig, EmergencyConfig, LimiterConfig
from elec_meter.contactor import ControlState
from elec_meter.errors import ConfigError, ContactorError, CorruptError, NotAllowedError
from elec_meter.events import EventCode
from elec_meter.switchgear import SWITCHGEAR_KEY
from tests.elec_meter.mains import BEGUN, SECOND, House

LIMITED = replace(
    demo_config(), limiter=LimiterConfig(threshold=1000, over_s=10, under_s=5, lockout_trips=2)
)
HOUR = timedelta(hours=1)
LONG_MS = 2_000


def contactor(meter: Meter) -> tuple[object, object]:
    """Output and control state, as the directory has them."""
    found = meter.objects["0-0:96.3.10"]
    return found[2], found[3]


def limited(**changes: object) -> MeterConfig:
    """The limited meter with another limiter."""
    return replace(LIMITED, limiter=replace(LIMITED.limiter, **changes))


def test_opened_by_the_limiter_armed_from_afar_closed_by_a_person() -> None:
    """Each with its cause in the log, whatever happens to the power in between."""
    house = House(LIMITED)
    house.draw(500, 5)
    house.draw(3000, 11)  # a second is known when it has passed
    assert (True, 1) == contactor(house.meter)
    house.draw(3000, 1)
    assert (False, 0) == contactor(house.meter)
    house.cut(HOUR)
    house.press(LONG_MS)
    house.press(LONG_MS)
    assert (False, 0) == contactor(house.meter)
    house.meter.arm_contactor(house.now, author="the supplier")
    house.cut(HOUR)
    assert (False, 2) == contactor(house.meter)
    house.press(LONG_MS)
    assert (False, 2) == contactor(house.meter)
    house.press(LONG_MS)
    assert (True, 1) == contactor(house.meter)
    house.cut(HOUR)
    house.draw(500, 3)
    assert (True, 1) == contactor(house.meter)
    over, opened, *rest = house.said(EventCode.CONTACTOR_ARMED, EventCode.LIMIT_KEPT)
    watts = over.partition(" ")[0]
    assert int(watts) == pytest.approx(3000, rel=0.01)
    assert f"{watts} exceeded 1000 for 10 s" == over
    assert f"the contactor was opened by the limiter: {over}" == opened
    assert [
        "the contactor was armed by the supplier",
        "the contactor was closed by the button",
    ] == rest


def test_a_state_that_was_told_survives_at_once(tmp_path: Path) -> None:
    """An opening is durable before anything else happens, without a checkpoint of its time."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, BEGUN)
        meter.open_contactor(BEGUN + SECOND)
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, BEGUN + HOUR)
        assert (False, 0) == contactor(meter)
        assert "the program" == meter.objects["0-0:128.60.0"].value
        assert 1 == meter.objects["0-0:128.60.1"].value


def test_arming_is_taken_back() -> None:
    """An order to open disarms; the person at the button comes too late."""
    house = House(demo_config())
    house.meter.open_contactor(house.now)
    assert house.meter.arm_contactor(house.now)
    assert not house.meter.arm_contactor(house.now)
    house.press(LONG_MS)
    house.meter.open_contactor(house.now)
    house.press(LONG_MS)
    assert (False, 0) == contactor(house.meter)
    assert "the contactor was disarmed by the program" == house.said(62, 62)[-1]


def test_levels_and_refusals_change_nothing() -> None:
    """An installer may not open it, and a closed one cannot be armed."""
    house = House(demo_config())
    with pytest.raises(NotAllowedError, match="level 2 may not open the contactor"):
        house.meter.open_contactor(house.now, level=Level.INSTALLER)
    with pytest.raises(NotAllowedError, match="level 2 may not arm the contactor"):
        house.meter.arm_contactor(house.now, level=Level.INSTALLER)
    with pytest.raises(ContactorError, match="the contactor is closed"):
        house.meter.arm_contactor(house.now)
    with pytest.raises(ContactorError, match="control mode 3 has no manual disconnect"):
        house.meter.open_by_hand(house.now)
    assert (True, 1) == contactor(house.meter)


@pytest.mark.parametrize("is_armed", [False, True])
def test_no_configuration_gives_an_open_house_its_power(is_armed: bool) -> None:
    """Mode 0 is refused until a person has closed the contactor; nothing is changed by trying."""
    house = House(demo_config())
    without = replace(demo_config(), contactor=ContactorConfig(mode=0))
    house.meter.open_contactor(house.now)
    if is_armed:
        house.meter.arm_contactor(house.now)
    before = contactor(house.meter)
    with pytest.raises(ConfigError, match=r"^contactor: mode 0 would take away a contactor"):
        house.meter.apply_config(without, house.now)
    house.meter.checkpoint()
    with pytest.raises(ConfigError, match=r"^contactor: mode 0 would take away a contactor"):
        at_rest.apply_config(house.storage, without)
    assert (before, demo_config()) == (contactor(house.meter), house.meter.config)
    house.meter.arm_contactor(house.now)
    house.press(LONG_MS)
    house.press(LONG_MS)
    house.meter.apply_config(without, house.now)
    assert (True, 1) == contactor(house.meter)


def test_a_program_that_takes_an_open_contactor_away_leaves_it_open() -> None:
    """Nobody is at the button when a meter starts with another document."""
    house = House(demo_config())
    house.meter.open_contactor(house.now)
    without = replace(demo_config(), contactor=ContactorConfig(mode=0))
    meter = Meter(without, house.storage, house.now + HOUR)
    assert (False, 0) == contactor(meter)
    meter.apply_config(demo_config(), house.now + HOUR)
    assert meter.arm_contactor(house.now + HOUR)


def test_a_lever_leaves_it_armed() -> None:
    """In control mode 1, who opened it by hand may close it again."""
    house = House(replace(demo_config(), contactor=ContactorConfig(mode=1)))
    house.meter.open_by_hand(house.now)
    assert (False, 2) == contactor(house.meter)
    house.press(LONG_MS)
    house.press(LONG_MS)
    assert (True, 1) == contactor(house.meter)


def test_a_limiter_may_arm_what_it_opened() -> None:
    """After five seconds within the limit, and only what nobody else has opened meanwhile."""
    house = House(limited(under="arm"))
    house.draw(3000, 12)
    assert (False, 0) == contactor(house.meter)
    house.draw(3000, 7)
    assert (False, 2) == contactor(house.meter)

    house = House(limited(under="arm"))
    house.draw(3000, 12)
    house.meter.open_contactor(house.now)
    house.draw(3000, 7)
    assert (False, 0) == contactor(house.meter)


def test_a_limiter_that_chatters_is_locked_out() -> None:
    """It trips once, and the second time within an hour it takes an order to arm it."""
    house = House(limited(over="trip", under="arm"))
    house.draw(3000, 12)
    assert (False, 2) == contactor(house.meter)
    house.press(LONG_MS)
    house.press(LONG_MS)
    house.draw(3000, 12)
    assert (False, 0) == contactor(house.meter)
    assert 1 == house.meter.objects["0-0:128.60.2"].value
    house.cut(2 * HOUR)
    house.draw(3000, 10)
    assert (False, 0) == contactor(house.meter)
    assert ["the limiter opened 2 times: arming takes an order from afar"] == house.said(
        EventCode.LIMITER_LOCKED, EventCode.LIMITER_LOCKED
    )
    house.meter.arm_contactor(house.now)
    assert 0 == house.meter.objects["0-0:128.60.2"].value


def test_a_limiter_may_only_tell() -> None:
    """With `log` the house keeps its power, and the log has both ends."""
    house = House(limited(over="log"))
    house.draw(3000, 12)
    house.draw(500, 7)
    assert (True, 1) == contactor(house.meter)
    assert [65, 66] == [each.code for each in house.storage.events() if 59 <= each.code <= 66]


def test_the_limiter_says_what_is_in_force() -> None:
    """Thresholds in watts, times, the emergency, and the scripts of both actions."""
    emergency = EmergencyConfig(
        threshold=200, activate=BEGUN.replace(minute=0, second=0), duration_min=60, id=7
    )
    house = House(limited(emergency=emergency))
    limiter = house.meter.objects["0-0:17.0.0"]
    house.draw(100, 1)
    assert (71, 200, "W") == (limiter.class_id, limiter.value, limiter.unit)
    assert [200, 1000, 200, 10, 5] == [limiter[number] for number in range(3, 8)]
    assert (7, emergency.activate, 3600) == limiter[8]
    assert True is limiter[10]
    assert [("0-0:10.0.106", 1), ("0-0:10.0.106", 0)] == [
        (str(action.table), action.selector) for action in limiter[11]
    ]
    house.draw(100, 10)
    assert [1000, False] == [limiter[3], limiter[10]]
    assert [
        "the limit is 200 and was off",
        "the limit is 1000 and was 200",
    ] == house.said(EventCode.LIMIT_CHANGED, EventCode.LIMIT_CHANGED)


def test_current_through_an_open_contactor_is_told_once() -> None:
    """It is welded or bridged: an event, and a bit of the error register while it lasts."""
    house = House(demo_config())
    house.meter.open_contactor(house.now)
    house.draw(500, 40, through_open=True)
    assert ["current flows although the contactor is open"] == house.said(68, 68)
    assert 8 == house.meter.objects["0-0:97.97.0"].value
    house.draw(0, 3)
    assert 0 == house.meter.objects["0-0:97.97.0"].value


def test_what_the_limiter_watches_must_be_a_register() -> None:
    """A configuration that names something else is refused whole."""
    house = House(demo_config())
    for code, why in (("0-0:1.0.0", "is no register"), ("1-0:99.7.0", "has no object")):
        with pytest.raises(ConfigError, match=why):
            house.meter.apply_config(limited(object=code), house.now)
    assert demo_config() == house.meter.config


def test_a_damaged_state_is_refused() -> None:
    """A meter does not guess whether a house had its power."""
    storage = Storage.in_memory()
    Meter(demo_config(), storage, BEGUN).checkpoint()
    storage.put_state(SWITCHGEAR_KEY, b"\xff")
    with pytest.raises(CorruptError, match="what is kept of the contactor is damaged"):
        Meter(demo_config(), storage, BEGUN + HOUR)


def test_the_states_have_the_numbers_of_the_standard() -> None:
    """0 disconnected, 1 connected, 2 ready for reconnection."""
    assert [0, 1, 2] == list(ControlState)


@pytest.mark.parametrize(
    "orders", ["open", "open arm", "open arm close", "open arm close open", ""]
)
def test_a_lost_state_gives_nobody_power(orders: str) -> None:
    """What a repair could not save is open if the log says so, and waits to be armed."""
    house = House(demo_config())
    for order in orders.split():
        if order == "open":
            house.meter.open_contactor(house.now)
        elif order == "arm":
            house.meter.arm_contactor(house.now)
        else:
            house.press(LONG_MS)
            house.press(LONG_MS)
    house.meter.checkpoint()
    house.storage.connection.execute("DELETE FROM meter_state WHERE key = ?", (SWITCHGEAR_KEY,))
    house.cut(HOUR)
    is_closed = orders.endswith("close") or not orders
    assert (is_closed, int(is_closed)) == contactor(house.meter)
    if not is_closed:
        assert "it was open when its state was lost" == house.meter.objects["0-0:128.60.0"].value
        assert house.meter.arm_contactor(house.now)
