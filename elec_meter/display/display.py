"""The display and its button: a rendering of the directory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from elec_meter.config import DisplayConfig, DisplayScreen
from elec_meter.display.picture import UNKNOWN, Picture, right_aligned, write_text
from elec_meter.display.snapshot import Direction, DisplaySnapshot, Icons
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

_VALUE = 2


class Display:
    """Screens that follow each other, and a button that asks for the next one.

    Which screen scrolls past is a function of the time alone. A press shows the next one, and the
    list scrolls on when nobody has pressed for the configured time.

    Args:
        config: the screens.
        directory: where the values are.
        automatic: the screens of a display whose configuration has none, such as
            `automatic_screens` of the meter's.

    Raises:
        ConfigError: a screen names an object or attribute that the meter does not have, a unit that
            it is not measured in, or too few digits for a register before it rolls over.
    """

    def __init__(
        self,
        config: DisplayConfig,
        directory: Directory,
        automatic: Sequence[DisplayScreen] = (),
    ) -> None:
        self._directory = directory
        screens = config.scroll or automatic
        self._screens = [_Screen(each, directory) for each in screens]
        self._ends_s = list(accumulate(each.seconds for each in screens))
        self._return_after = timedelta(seconds=config.return_s)
        self._pressed_at: datetime | None = None
        self._pressed_to = 0

    def press(self, now: datetime) -> None:
        """The button was pressed shortly: the next screen, until nobody presses."""
        if self._screens:
            self._pressed_to = (self._index(now) + 1) % len(self._screens)
            self._pressed_at = now

    def snapshot(self, now: datetime) -> DisplaySnapshot:
        """What is shown at an instant of the host's UTC."""
        icons = _icons(self._directory, now)
        if not self._screens:
            return DisplaySnapshot(right_aligned(""), icons=icons)
        index = self._index(now)
        screen = self._screens[index]
        return DisplaySnapshot(
            text=screen.text(now),
            mnemonic=screen.config.mnemonic,
            unit=screen.unit,
            icons=icons,
            object=str(screen.source.obis),
            screen=index + 1,
            screens=len(self._screens),
        )

    def _index(self, now: datetime) -> int:
        pressed_at = self._pressed_at
        if pressed_at is not None and pressed_at <= now < pressed_at + self._return_after:
            return self._pressed_to
        return bisect_right(self._ends_s, unix_s(now) % self._ends_s[-1])


class _Screen:
    """One screen of a list, checked against the directory."""

    def __init__(self, config: DisplayScreen, directory: Directory) -> None:
        self.config = config
        self._picture = Picture.parse(config.format)
        try:
            self.source = directory[config.object]
            self.unit = self._checked()
        except ObjectsError as error:
            raise ConfigError(f"the display cannot show {config.object}: {error}") from None

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

    def _checked(self) -> str:
        """The unit that is shown, of a screen that can be."""
        source, config = self.source, self.config
        if isinstance(source, ProfileGeneric) or config.attribute not in source.attributes:
            raise ConfigError(
                f"the display cannot show attribute {config.attribute} of {config.object}:"
                " it is no single value"
            )
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


def _icons(directory: Directory, now: datetime) -> Icons:
    faults = UnitFault(0)
    for each in directory:
        if (each.obis.a, each.obis.c, each.obis.d, each.obis.e) == (0, 97, 97, 0) and each.obis.b:
            faults |= UnitFault(_number(each, now) or 0)
    return Icons(
        rate=_whole(directory, "0-0:96.14.0", now),
        direction=_direction(_whole(directory, "1-0:16.7.0", now)),
        low_battery=UnitFault.LOW_BATTERY in faults,
        radio_silent=UnitFault.SILENT in faults,
        alarm=bool(_whole(directory, "0-0:97.97.0", now)),
    )


def _whole(directory: Directory, code: str, now: datetime) -> int | None:
    return _number(directory[code], now) if code in directory else None


def _number(each: CosemObject, now: datetime) -> int | None:
    value = each.value_at(now)
    return int(value) if isinstance(value, (int, Decimal)) else None


def _direction(power_w: int | None) -> Direction | None:
    if not power_w:
        return None
    return "import" if power_w > 0 else "export"
