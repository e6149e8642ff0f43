"""The display and its button: a rendering of the directory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import accumulate
from typing import Final, NamedTuple

from elec_meter.config import DisplayConfig, DisplayScreen
from elec_meter.config.places import DISPLAY_DIGITS
from elec_meter.display.picture import UNKNOWN, Picture, right_aligned, write_text
from elec_meter.display.snapshot import (
    ContactorIcon,
    Direction,
    DisplaySnapshot,
    Icons,
    segment_test,
)
from elec_meter.errors import ConfigError
from elec_meter.objects import (
    CosemObject,
    Directory,
    ObjectsError,
    ProfileGeneric,
    Register,
    UnitFault,
    in_unit,
)
from shared.timegrid import unix_s

_VALUE: Final = 2
ALARMS: Final = "0-0:97.98.20"
"""The alarms since the last clearing: while there are any they have a screen."""

LED: Final = "0-0:128.63.1"
"""Whether the LED that flashes with the energy is lit."""

_CONTACTOR: Final = "0-0:96.3.10"
_CONTROL_STATE: Final = 3
_CONTROL_MODE: Final = 4
_CONTACTOR_ICONS: Final[tuple[ContactorIcon, ...]] = ("open", "closed", "armed")


_PRESS: Final = "PRESS"
_CONFIRM: Final = "CONFIRM"
_FLAG_SHOWN: Final = timedelta(seconds=3)
_ALARM_SCREEN: Final = DisplayScreen(object=ALARMS, mnemonic="ALARM", format="hex")


class _Mode(Enum):
    """What somebody at the button has asked for."""

    BUTTON = "the next screen"
    SERVICE = "the service list"
    CONFIRM = "to close the contactor"


class _Asked(NamedTuple):
    """What was asked for last.

    The place of a screen of the list that scrolls does not count the alarm's, which is -1: an alarm
    that comes or goes leaves the screen that somebody looks at.
    """

    mode: _Mode
    place: int
    at: datetime


class Display:
    """Screens that follow each other, and a button that asks for others.

    Which screen scrolls past is a function of the time alone; an alarm has a screen of its own
    before the others. A short press shows the next one, a long one the service list, which begins
    with a test of all segments. When nobody has pressed for the configured time the list scrolls
    on. While the contactor is armed it says `PRESS` instead: a long press is answered with
    `CONFIRM`, and another one then closes the contactor.

    Args:
        config: the screens.
        directory: where the values are.
        automatic: the screens of a display whose configuration has none, such as
            `automatic_screens` of the meter's.
        service: the same of the service list.

    Raises:
        ConfigError: a screen names an object or attribute that the meter does not have, a unit that
            it is not measured in, or too few digits for a register before it rolls over.
    """

    def __init__(
        self,
        config: DisplayConfig,
        directory: Directory,
        automatic: Sequence[DisplayScreen] = (),
        service: Sequence[DisplayScreen] = (),
    ) -> None:
        self._directory = directory
        self._faults = [each for each in directory if _tells_faults(each)]
        self._scroll = [_Screen(each, directory) for each in config.scroll or automatic]
        self._own_button = [_Screen(each, directory) for each in config.button]
        self._service = [_Screen(each, directory) for each in config.service or service]
        self._alarm = _Screen(_ALARM_SCREEN, directory) if ALARMS in directory else None
        self._return_after = timedelta(seconds=config.return_s)
        self._asked: _Asked | None = None
        self._flag_at: datetime | None = None

    def press(self, now: datetime) -> None:
        """The button was pressed shortly: the next screen, until nobody presses.

        It is the one after the screen that is shown; a list of its own begins with its first.
        """
        asked = self._asked_at(now)
        if asked is not None and asked.mode is _Mode.CONFIRM:
            self._asked = None
        elif asked is not None and asked.mode is _Mode.SERVICE:
            self._asked = _Asked(asked.mode, (asked.place + 1) % (len(self._service) + 1), now)
        elif asked is None and self._own_button:
            self._asked = _Asked(_Mode.BUTTON, 0, now)
        else:
            screens, index = self._shown_now(now)
            if screens:
                following = (index + 1) % len(screens)
                self._asked = _Asked(_Mode.BUTTON, following - self._before_button(now), now)

    def hold(self, now: datetime) -> bool:
        """The button was pressed long: True where that confirms that the contactor is to close."""
        asked = self._asked_at(now)
        mode = None if asked is None else asked.mode
        if self._is_armed(now):
            self._asked = None if mode is _Mode.CONFIRM else _Asked(_Mode.CONFIRM, 0, now)
            return mode is _Mode.CONFIRM
        self._asked = None if mode is _Mode.SERVICE else _Asked(_Mode.SERVICE, 0, now)
        return False

    def show_flag_activity(self, now: datetime) -> None:
        """Somebody speaks with the FLAG port: its icon shows for a moment."""
        self._flag_at = now

    def snapshot(self, now: datetime) -> DisplaySnapshot:
        """What is shown at an instant of the host's UTC."""
        return replace(self._snapshot(now), is_led_lit=bool(_whole(self._directory, LED, now)))

    def _snapshot(self, now: datetime) -> DisplaySnapshot:
        asked, icons = self._asked_at(now), self._icons(now)
        if asked is None and icons.contactor == "armed":
            return DisplaySnapshot(right_aligned(_PRESS), icons=icons)
        if asked is not None and asked.mode is _Mode.CONFIRM:
            return DisplaySnapshot(right_aligned(_CONFIRM), icons=icons)
        if asked is not None and asked.mode is _Mode.SERVICE:
            if not asked.place:
                return segment_test(1 + len(self._service))
            return self._shown(self._service, asked.place - 1, icons, now, before=1)
        screens, index = self._shown_now(now)
        if not screens:
            return DisplaySnapshot(right_aligned(""), icons=icons)
        return self._shown(screens, index, icons, now)

    def _shown_now(self, now: datetime) -> tuple[list[_Screen], int]:
        """The list that is gone through, by the time or by the button, and the place in it."""
        asked = self._asked_at(now)
        if asked is None:
            screens = self._scrolling(now)
            return screens, self._scrolled(now, screens)
        if self._own_button:
            return self._own_button, asked.place
        return self._scrolling(now), max(0, asked.place + self._before_button(now))

    def _before_button(self, now: datetime) -> int:
        """How many screens stand before those among which the button counts its places."""
        return 0 if self._own_button else len(self._scrolling(now)) - len(self._scroll)

    def _shown(
        self, screens: list[_Screen], index: int, icons: Icons, now: datetime, before: int = 0
    ) -> DisplaySnapshot:
        screen = screens[index]
        code = str(screen.source.obis)
        if icons.rate is not None and code == f"1-0:1.8.{icons.rate}":
            icons = replace(icons, is_rate_shown=True)
        return DisplaySnapshot(
            text=screen.text(now),
            mnemonic=screen.name,
            unit=screen.unit,
            icons=icons,
            object=code,
            screen=before + index + 1,
            screens=before + len(screens),
        )

    def _asked_at(self, now: datetime) -> _Asked | None:
        asked = self._asked
        if asked is None or not asked.at <= now < asked.at + self._return_after:
            return None
        if asked.mode is _Mode.CONFIRM and not self._is_armed(now):
            return None
        return asked

    def _is_armed(self, now: datetime) -> bool:
        return _contactor(self._directory, now) == "armed"

    def _scrolling(self, now: datetime) -> list[_Screen]:
        if self._alarm is None or not self._alarm.source.value_at(now):
            return self._scroll
        return [self._alarm, *self._scroll]

    def _scrolled(self, now: datetime, screens: list[_Screen]) -> int:
        if not screens:
            return 0
        ends_s = list(accumulate(each.config.seconds for each in screens))
        return bisect_right(ends_s, unix_s(now) % ends_s[-1])

    def _icons(self, now: datetime) -> Icons:
        flag_at = self._flag_at
        is_flag_busy = flag_at is not None and flag_at <= now < flag_at + _FLAG_SHOWN
        return replace(_icons(self._directory, self._faults, now), flag_busy=is_flag_busy)


class _Screen:
    """One screen of a list, checked against the directory."""

    def __init__(self, config: DisplayScreen, directory: Directory) -> None:
        self.config = config
        self._picture = Picture.parse(config.format)
        try:
            self.source = directory[config.object]
            self.unit = self._checked(directory)
        except ObjectsError as error:
            raise ConfigError(f"the display cannot show {config.object}: {error}") from None

    @property
    def name(self) -> str:
        """The mnemonic; of a screen without one, what the object is called on any meter."""
        obis = self.source.obis
        return self.config.mnemonic.strip() or f"{obis.c}.{obis.d}.{obis.e}"[:DISPLAY_DIGITS]

    def text(self, now: datetime) -> str:
        """Eight places."""
        value = self.source.present(self.config.attribute, now)
        if value is None:
            return UNKNOWN
        if self._picture is None or not isinstance(value, (int, Decimal)):
            return right_aligned(write_text(value, self.config.format))
        shown = in_unit(value, self.source.unit, self.unit) if self.unit else Decimal(value)
        return right_aligned(self._picture.write(shown, cumulative=self._is_cumulative))

    @property
    def _is_cumulative(self) -> bool:
        return isinstance(self.source, Register) and self.source.modulus is not None

    def _checked(self, directory: Directory) -> str:
        """The unit that is shown, of a screen that can be."""
        source, config = self.source, self.config
        if isinstance(source, ProfileGeneric) or config.attribute not in source.attributes:
            raise ConfigError(
                f"the display cannot show attribute {config.attribute} of {config.object}:"
                " it is no single value"
            )
        source.present(config.attribute, directory.now())  # it refuses what is no single value
        if not isinstance(source, Register) or config.attribute != _VALUE:
            return config.unit
        unit = config.unit or source.unit
        digits = source.digits(unit)
        if self._picture is None:
            raise ConfigError(f"the display cannot show {config.object} as {config.format}")
        if digits.whole is not None and self._picture.whole < digits.whole:
            raise ConfigError(
                f"the display format {config.format} has too few digits for {config.object}:"
                f" it counts to {digits.whole} digits of {unit}"
            )
        return unit


def _tells_faults(each: CosemObject) -> bool:
    """Whether it is the faults of a unit, on any channel."""
    obis = each.obis
    return (obis.a, obis.c, obis.d, obis.e) == (0, 97, 97, 0) and obis.b > 0


def _icons(directory: Directory, units: Sequence[CosemObject], now: datetime) -> Icons:
    faults = UnitFault(0)
    for each in units:
        faults |= UnitFault(_number(each, now) or 0)
    return Icons(
        rate=_whole(directory, "0-0:96.14.0", now),
        direction=_direction(_whole(directory, "1-0:16.7.0", now)),
        low_battery=UnitFault.LOW_BATTERY in faults,
        radio_silent=UnitFault.SILENT in faults,
        alarm=bool(_whole(directory, "0-0:97.97.0", now) or _whole(directory, ALARMS, now)),
        contactor=_contactor(directory, now),
    )


def _contactor(directory: Directory, now: datetime) -> ContactorIcon | None:
    if _CONTACTOR not in directory or not directory[_CONTACTOR].read(_CONTROL_MODE, now):
        return None
    state = directory[_CONTACTOR].read(_CONTROL_STATE, now)
    return _CONTACTOR_ICONS[state] if isinstance(state, int) else None


def _whole(directory: Directory, code: str, now: datetime) -> int | None:
    return _number(directory[code], now) if code in directory else None


def _number(each: CosemObject, now: datetime) -> int | None:
    value = each.value_at(now)
    return int(value) if isinstance(value, (int, Decimal)) else None


def _direction(power_w: int | None) -> Direction | None:
    if not power_w:
        return None
    return "import" if power_w > 0 else "export"
