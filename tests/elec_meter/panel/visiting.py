"""The demo's house behind a panel, for an installer with a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from elec_meter.access import Level
from elec_meter.panel import Panel
from tests.elec_meter.demo.test_controls import MINUTE
from tests.elec_meter.panel.browsing import Served
from tests.elec_meter.panel.standing import PASSWORDS, SALT, Standing, verifier
from tests.elec_meter.panel.test_pairing import Installing


class Visited(Standing):
    """A house whose unit has been heard; time passes when a test says so."""

    def __init__(self) -> None:
        self.visit = Installing()
        self.visit.live(20 * MINUTE)
        self.desk, level = self.visit.desk, Level.INSTALLER
        password = verifier(level, PASSWORDS[level])
        self.desk.gate.set_verifier(level, SALT, password, self.visit.world.now)
        self.panel = Panel(self.desk, ["localhost"])


class Visiting(Served):
    """A visited house with its panel open."""

    def __init__(self) -> None:
        super().__init__(Visited)

    def live(self, length: timedelta, **wish: Any) -> None:
        """Let a wish of the visitor's come true, if there is one, and time pass."""

        def lived(standing: Standing) -> None:
            assert isinstance(standing, Visited)
            if wish:
                standing.visit.controls.steer(wish)
            for _ in standing.visit.world.advance(standing.visit.world.now + length):
                pass
            standing.panel.live.hurry()

        self.do(lived)
