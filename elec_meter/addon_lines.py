"""The FLAG lines of a meter's add-on modules, and their news in its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from .access import Level
from .addons import News, Slots, Surroundings, check_addons
from .config import AddonConfig, MeterConfig, addon_readout
from .events import EventCode
from .flag import FlagLine, FlagPort, FlagSession, ProgrammingDesk
from .meter import Meter

_CODES: Final = {
    News.STOPPED: EventCode.ADDON_STOPPED,
    News.CUT: EventCode.ADDON_CUT,
    News.RECOVERED: EventCode.ADDON_RECOVERED,
}


class AddonLines:
    """What the slot gets of a meter, and nothing else.

    Args:
        meter: the meter.
        desk: where programming leads to.
        now: the host's UTC as the meter is told it.
        durable: called before values are read.
        further: modules beside those of the configuration.
        say: takes a module's name and a sentence of its own.
    """

    def __init__(
        self,
        meter: Meter,
        desk: ProgrammingDesk,
        now: Callable[[], datetime],
        durable: Callable[[], None],
        further: Sequence[AddonConfig] = (),
        say: Callable[[str, str], None] = lambda _name, _sentence: None,
    ) -> None:
        self._meter = meter
        self._desk = desk
        self._now = now
        self._durable = durable
        self._further = tuple(further)
        self._say = say
        meter.check_with(self._refuse_unworkable)

    def open(self) -> Slots:
        """Put the modules in; to be closed by whoever opened it."""
        surroundings = Surroundings(
            session=self._session,
            version=lambda: self._meter.config_version,
            tell=self._tell,
            say=self._say,
        )
        return Slots(surroundings, lambda: (*self._meter.config.addons, *self._further))

    def _refuse_unworkable(self, config: MeterConfig) -> None:
        check_addons(config.addons, unless=self._meter.config.addons)

    def _session(self, addon: AddonConfig, now: datetime) -> FlagSession:
        config = self._meter.config
        port = FlagPort(
            replace(config.flag, readout=addon_readout(config, addon)),
            self._meter.objects,
            serial=config.serial,
            durable=self._durable,
            line=FlagLine(port=f"FLAG add-on {addon.name}", level=Level.READER),
            desk=self._desk,
        )
        return port.session(now)

    def _tell(self, news: News, sentence: str) -> None:
        self._meter.storage.record_event(_CODES[news], sentence, self._now())
