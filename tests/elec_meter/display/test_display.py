from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from elec_meter.config import DisplayConfig, DisplayScreen, automatic_screens, demo_config
from elec_meter.display import Display, Icons
from elec_meter.errors import ConfigError
from elec_meter.objects import Directory, UnitFault, UnitReport
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

CYCLE_S = 6 * 8
FIRST = START  # a multiple of the demo's cycle: the first screen begins here


def shown(meter: FixedMeter, second: float = 0) -> str:
    """The text on the demo's display, some seconds into its cycle."""
    return Display(meter.config.display, meter.directory).snapshot(at(second)).text


def at(second: float) -> datetime:
    """An instant of the cycle."""
    return FIRST + timedelta(seconds=second)


def one_screen(meter: FixedMeter, **screen: object) -> Display:
    """A display with this screen only."""
    return Display(DisplayConfig(scroll=(DisplayScreen(**screen),)), meter.directory)


def test_the_demos_screens_show_the_directory() -> None:
    """Registers in kWh and cubic metres, power, time and date, each for its seconds."""
    meter = FixedMeter()
    meter.book("import", 123_456)
    meter.book("export", 99)
    meter.pulses.received = 1234

    assert [
        " 000123.4",
        " 000123.4",
        " 000000.0",
        " 000000.0",
        "00012.340",
        "     291",
        "  00:00:36",
        "  28.10.12",
    ] == [shown(meter, n * 6) for n in range(8)]


def test_scrolling_is_a_function_of_the_time_alone() -> None:
    """Two displays agree, whatever they showed before, and a cycle later it is the same again."""
    meter = FixedMeter()
    first, second = (Display(meter.config.display, meter.directory) for _ in range(2))
    for moment in range(0, 100, 7):
        first.snapshot(at(moment))

    assert 0 == int(FIRST.timestamp()) % CYCLE_S
    assert first.snapshot(at(20)) == second.snapshot(at(20))
    assert second.snapshot(at(20)).screen == second.snapshot(at(20 + CYCLE_S)).screen == 4


def test_screens_stand_for_their_own_seconds() -> None:
    """A screen of one second gives way after one."""
    config = DisplayConfig(
        scroll=(
            DisplayScreen(object="1.8.0", format="000000", unit="kWh", seconds=1),
            DisplayScreen(object="2.8.0", format="000000", unit="kWh", seconds=3),
        )
    )
    display = Display(config, FixedMeter().directory)

    assert [1, 2, 2, 2, 1] == [display.snapshot(at(second)).screen for second in range(5)]


def test_the_button_shows_the_next_screen_and_the_list_scrolls_on_after_a_while() -> None:
    """Each press goes one further, round the list; 30 s after the last one the time decides."""
    meter = FixedMeter()
    display = Display(meter.config.display, meter.directory)
    screens = []
    for second in range(1, 10):
        display.press(at(second))
        screens.append(display.snapshot(at(second)).screen)

    assert [2, 3, 4, 5, 6, 7, 8, 1, 2] == screens
    assert 2 == display.snapshot(at(9 + 29.9)).screen
    assert 7 == display.snapshot(at(9 + 30)).screen


def test_what_is_not_known_is_dashes() -> None:
    """Without a time and without samples eight dashes stand for the value."""
    meter = FixedMeter(live=None)
    meter.clock.valid = False

    assert ["--------"] * 3 == [shown(meter, second) for second in (30, 36, 42)]


def test_a_snapshot_says_what_it_shows() -> None:
    """Mnemonic, unit, object and place in the list are plain data."""
    snapshot = Display(FixedMeter().config.display, FixedMeter().directory).snapshot(at(0))

    assert ("IMPORT", "kWh", "1-0:1.8.0") == (snapshot.mnemonic, snapshot.unit, snapshot.object)
    assert (1, 8) == (snapshot.screen, snapshot.screens)


def test_icons_follow_the_directory() -> None:
    """Rate 2 at night, energy flowing out, a unit that is silent with a low battery."""
    meter = FixedMeter()
    assert meter.live is not None
    meter.live.power_w = -200.0
    meter.reports["00000001"] = UnitReport(faults=UnitFault.SILENT | UnitFault.LOW_BATTERY)
    display = Display(meter.config.display, meter.directory)

    night = START + timedelta(hours=1)
    wanted = Icons(2, "export", low_battery=True, radio_silent=True, contactor="closed")
    assert wanted == display.snapshot(night).icons


def test_a_snapshot_looks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the icons are made of is found when the display is made: no walk of the directory."""
    meter = FixedMeter()
    display = Display(meter.config.display, meter.directory)
    monkeypatch.setattr(Directory, "__iter__", lambda _: pytest.fail("it walks the directory"))
    meter.reports["00000001"] = UnitReport(faults=UnitFault.LOW_BATTERY)
    assert display.snapshot(START).icons.low_battery


def test_icons_show_nothing_that_is_not_known() -> None:
    """Without time, samples and units only the alarm is lit."""
    meter = FixedMeter(live=None)
    meter.clock.valid = False
    display = Display(meter.config.display, meter.directory)

    assert Icons(alarm=True, contactor="closed") == display.snapshot(START).icons


def test_a_drawing_has_lines_of_one_width() -> None:
    """The face for terminals holds text, mnemonic, unit, rate and arrow."""
    meter = FixedMeter()
    meter.book("import", 1500)
    lines = Display(meter.config.display, meter.directory).snapshot(at(0)).lines()

    assert 1 == len({len(line) for line in lines})
    for part in ("IMPORT", "000001.5  kWh", "R1", "→"):
        assert part in "\n".join(lines)


def test_an_empty_list_shows_every_billing_register() -> None:
    """Without a list of its own a display shows what a bill is made of, and a list has its way."""
    config = msgspec.structs.replace(demo_config(), display=DisplayConfig())
    meter = FixedMeter(config=config)
    meter.book("import", 123_456)
    display = Display(config.display, meter.directory, automatic_screens(config))

    pictures = [display.snapshot(at(second)) for second in range(0, 7 * 6, 6)]
    assert ["IMPORT", "IMP R1", "IMP R2", "EXPORT", "GAS", "TIME", "DATE"] == [
        each.mnemonic for each in sorted(pictures, key=lambda each: each.screen)
    ]
    assert {" 000123.4"} == {each.text for each in pictures if each.mnemonic == "IMPORT"}

    own = DisplayConfig(scroll=(DisplayScreen(object="1.8.0", unit="kWh"),))
    assert 1 == Display(own, meter.directory, automatic_screens(config)).snapshot(START).screens


def test_no_screens_at_all_show_nothing() -> None:
    """A display that is given no screen is dark and has a button without effect."""
    display = Display(DisplayConfig(), FixedMeter().directory)
    display.press(START)

    assert " " * 8 == display.snapshot(START).text


@pytest.mark.parametrize(
    ("screen", "refusal"),
    [
        ({"object": "1-0:1.8.3"}, "1-0:1.8.3"),
        ({"object": "1-0:1.8.0", "attribute": 9}, "attribute 9 of 1-0:1.8.0"),
        ({"object": "1-0:99.1.0", "format": "text"}, "1-0:99.1.0"),
        ({"object": "1-0:1.8.0", "unit": "V"}, "1-0:1.8.0.*V"),
        ({"object": "1-0:1.8.0", "unit": "kWh", "format": "0000.0"}, "too few digits.*1-0:1.8.0"),
        ({"object": "1-0:1.8.0", "format": "time"}, "1-0:1.8.0 as time"),
    ],
)
def test_a_screen_that_cannot_be_shown_is_refused_by_name(
    screen: dict[str, object], refusal: str
) -> None:
    """A wrong configuration is found when the display is made, not when the screen comes round."""
    with pytest.raises(ConfigError, match=refusal):
        one_screen(FixedMeter(), **screen)


def test_any_single_value_can_be_shown() -> None:
    """The time of a gas unit's last telegram, its number, and a voltage in its own unit."""
    meter = FixedMeter()
    meter.reports["00000001"] = UnitReport(START)

    received = one_screen(meter, object="0-1:24.2.1", attribute=5, format="time")
    assert "  00:00:00" == received.snapshot(START).text
    number = one_screen(meter, object="0-1:96.1.0", format="text")
    assert "00000001" == number.snapshot(START).text
    voltage = one_screen(meter, object="32.7.0", format="##0.0").snapshot(START)
    assert ("    239.9", "V") == (voltage.text, voltage.unit)


def test_a_screen_without_a_mnemonic_says_whose_it_is() -> None:
    """By the code that the register has on any meter: nobody takes one for another."""
    screens = (
        DisplayScreen(object="1-0:1.8.0", format="000000", unit="kWh", seconds=1),
        DisplayScreen(object="0-1:24.2.1", mnemonic="  ", format="00000.000", seconds=1),
    )
    display = Display(DisplayConfig(scroll=screens), FixedMeter().directory)
    assert ["1.8.0", "24.2.1"] == [display.snapshot(at(second)).mnemonic for second in range(2)]
