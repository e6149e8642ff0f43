"""The button: the next screen, the service list, and the closing of an armed contactor."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from elec_meter.config import (
    DisplayConfig,
    DisplayScreen,
    automatic_screens,
    automatic_service_screens,
    demo_config,
)
from elec_meter.display import Display
from elec_meter.display.segments import ALL_LIT
from elec_meter.events import EventCode
from elec_meter.runtime import Runtime
from tests.elec_meter.mains import BEGUN, SECOND, House

SCREENS = demo_config().display.scroll
LONG_MS = 2_000


def shown(house: House) -> tuple[str, str]:
    """Mnemonic and text, without blanks."""
    face = house.meter.display.snapshot(house.now)
    return face.mnemonic, face.text.strip()


def mnemonic(house: House) -> str:
    """Of the screen that is shown."""
    return shown(house)[0]


def with_lists(**lists: tuple[DisplayScreen, ...]) -> House:
    """A demo's meter with other lists beside that which scrolls."""
    return House(replace(demo_config(), display=DisplayConfig(scroll=SCREENS, **lists)))


def test_a_list_of_its_own_begins_with_its_first_screen() -> None:
    """Whatever scrolled past when it was asked for; it goes round."""
    button = (*SCREENS[4:], *SCREENS[:4])
    house = with_lists(button=button)
    seen = []
    for _ in range(len(button) + 1):
        house.press()
        seen.append(mnemonic(house))
    assert [*(each.mnemonic for each in button), button[0].mnemonic] == seen


@pytest.mark.parametrize("alarm", [False, True], ids=["without an alarm", "with an alarm"])
def test_the_next_screen_is_the_one_after_the_shown_one(alarm: bool) -> None:
    """At every second of two rounds, and then on, through all that scroll."""
    house = with_lists()
    raise_alarm(house, alarm)
    display = house.meter.display
    round_s = sum(each.seconds for each in SCREENS) + 6 * alarm
    names = [*["ALARM"] * alarm, *(each.mnemonic for each in SCREENS)]
    for second in range(2 * round_s):
        at = house.now + second * SECOND
        shown = display.snapshot(at).mnemonic
        seen = []
        for _ in range(len(names)):
            display.press(at)
            seen.append(display.snapshot(at).mnemonic)
        following = names.index(shown) + 1
        assert [*names[following:], *names[:following]] == seen
        display.hold(at)
        display.hold(at)  # to the service list and back: the time decides again


def raise_alarm(house: House, is_raised: bool = True) -> None:
    """Have one, or none."""
    house.meter.alarms.clear()
    if is_raised:
        house.meter.storage.record_event(EventCode.UNIT_TAMPERED, "somebody opened it", house.now)
    assert is_raised == bool(house.meter.objects["0-0:97.98.20"].value)


def test_an_alarm_leaves_the_screen_that_somebody_looks_at() -> None:
    """It comes and goes without a press; where its own was looked at the first one is shown."""
    house = with_lists()
    raise_alarm(house, False)
    house.press()
    before = shown(house)
    raise_alarm(house)
    assert before == shown(house)
    for _ in SCREENS:
        if "ALARM" != mnemonic(house):
            house.press()
    assert "ALARM" == mnemonic(house)
    raise_alarm(house, False)
    assert SCREENS[0].mnemonic == mnemonic(house)


def test_a_long_press_leads_to_the_service_list() -> None:
    """It begins with all segments lit; short presses go on, another long one leaves it."""
    service = (
        DisplayScreen(object="1-0:0.2.0", mnemonic="VERSION", format="text"),
        DisplayScreen(object="0-0:97.97.0", mnemonic="ERRORS", format="hex"),
    )
    house = with_lists(service=service)
    house.press(LONG_MS)
    test = house.meter.display.snapshot(house.now)
    assert ((ALL_LIT,) * 8, True, 3) == (test.segments, test.is_test, test.screens)
    seen = []
    for _ in range(3):
        house.press()
        seen.append(shown(house))
    assert ("VERSION", ("ERRORS", "00000002")) == (seen[0][0], seen[1])
    assert house.meter.display.snapshot(house.now).is_test
    house.press(LONG_MS)
    assert mnemonic(house) in {each.mnemonic for each in SCREENS}


def test_a_press_of_less_than_two_seconds_is_short() -> None:
    """1999 ms lead to the next screen, 2000 ms to the service list."""
    house = with_lists()
    house.press(1_999)
    assert not house.meter.display.snapshot(house.now).is_test
    house.press(2_000)
    assert house.meter.display.snapshot(house.now).is_test


def test_nobody_at_the_button_lets_it_scroll_on() -> None:
    """30 s after the last press, from the service list too."""
    house = with_lists()
    display = house.meter.display
    house.press(LONG_MS)
    before, after = (house.now + timedelta(seconds=each) for each in (29, 30))
    assert display.snapshot(before).is_test
    assert not display.snapshot(after).is_test


def test_every_automatic_list_can_be_shown() -> None:
    """Without lists of its own a meter shows what is billed, and what serves."""
    house = House(replace(demo_config(), display=DisplayConfig()))
    config, directory = house.meter.config, house.meter.objects
    display = Display(
        config.display, directory, automatic_screens(config), automatic_service_screens(config)
    )
    display.hold(BEGUN)
    for _ in automatic_service_screens(config):
        display.press(BEGUN)
        assert display.snapshot(BEGUN).mnemonic


def test_press_and_confirm_close_an_armed_contactor() -> None:
    """`PRESS` stands there from the arming on; each long press goes one step on."""
    house = with_lists()
    house.meter.open_contactor(house.now)
    assert "open" == house.meter.display.snapshot(house.now).icons.contactor
    house.meter.arm_contactor(house.now)
    assert ("", "PRESS") == shown(house)
    house.press(LONG_MS)
    assert ("", "CONFIRM") == shown(house)
    house.press(LONG_MS)
    assert "closed" == house.meter.display.snapshot(house.now).icons.contactor
    assert mnemonic(house) in {each.mnemonic for each in SCREENS}


def test_short_presses_never_close_it() -> None:
    """One takes the question back, others lead through the registers."""
    house = with_lists()
    house.meter.open_contactor(house.now)
    house.meter.arm_contactor(house.now)
    house.press(LONG_MS)
    house.press()
    assert ("", "PRESS") == shown(house)
    house.press()
    assert mnemonic(house) in {each.mnemonic for each in SCREENS}
    house.press(LONG_MS)
    assert ("", "CONFIRM") == shown(house)
    assert not house.meter.switchgear.contactor.is_closed


def test_a_question_lapses() -> None:
    """After 30 s the next long press asks again, and closes nothing."""
    house = with_lists()
    house.meter.open_contactor(house.now)
    house.meter.arm_contactor(house.now)
    house.press(LONG_MS)
    house.now += 30 * SECOND
    assert ("", "PRESS") == shown(house)
    house.press(LONG_MS)
    assert not house.meter.switchgear.contactor.is_closed
    assert ("", "CONFIRM") == shown(house)


def test_flag_activity_shows_for_a_moment() -> None:
    """While somebody speaks with the port, and three seconds longer."""
    house = with_lists()
    display = house.meter.display
    display.show_flag_activity(house.now)
    assert [True, True, False] == [
        display.snapshot(house.now + each * SECOND).icons.flag_busy for each in (0, 2, 3)
    ]


def test_a_display_with_a_mnemonic_of_its_own_survives_a_restart() -> None:
    """Configured on a meter that runs, it is there at once, and after an outage."""
    house = with_lists()
    mine = DisplayScreen(object="1-0:32.7.0", mnemonic="MYVOLTS", format="##0.0", seconds=60)
    lists = DisplayConfig(scroll=(mine,), button=SCREENS)
    house.meter.apply_config(replace(house.meter.config, display=lists), house.now)
    house.draw(100, 3)
    assert "MYVOLTS" == shown(house)[0]
    assert 230 < float(shown(house)[1]) < 250
    house.cut(timedelta(hours=1))
    assert ("MYVOLTS", "--------") == shown(house)


def test_a_readout_is_flag_activity() -> None:
    """The runtime tells the display when somebody reads through the port."""
    house = with_lists()
    runtime = Runtime(house.meter, lambda: house.now)
    session = runtime._flag_session(house.now)
    assert session.receive_data(b"/?!\r\n", house.now)
    assert session.receive_data(b"\x06060\r\n", house.now)
    assert house.meter.display.snapshot(house.now).icons.flag_busy
