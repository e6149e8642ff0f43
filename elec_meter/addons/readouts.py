"""The readouts that a module goes on showing, and what it says while the meter gives none."""

from __future__ import annotations

from elec_meter.addons.errors import LineRefusedError
from elec_meter.addons.line import MeterLine
from elec_meter.addons.readings import Readings


class Readouts:
    """One after another; whoever looks after the module is told once when there are none.

    Args:
        line: the line.
        without: what the module does while the meter will not say its values.
        again: what it does once the meter says them again.
    """

    def __init__(self, line: MeterLine, without: str, again: str) -> None:
        self._line = line
        self._without, self._again = without, again
        self._is_refused = False

    async def next(self) -> Readings | None:
        """The next; None where the meter will not say its values now.

        Raises:
            AddonError: as of `MeterLine.readout`.
        """
        try:
            readings = await self._line.readout()
        except LineRefusedError as error:
            if not self._is_refused:
                self._line.say(f"{self._without}: {error}")
            self._is_refused = True
            return None
        if self._is_refused:
            self._line.say(self._again)
        self._is_refused = False
        return readings
