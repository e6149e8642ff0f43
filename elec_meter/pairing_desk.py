"""Where installers pair units with a meter that runs, step by step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from collector import CollectorError, Desk, PairingGivenUpError, ReceivedFrame
from shared.errors import SharedError

from .access import Level
from .configured import require_level
from .errors import (
    CheckpointFailedError,
    ControlError,
    PairingRefusedError,
    ReceiverMissingError,
    StorageLostError,
)
from .meter import Meter
from .pairing_place import PairingPlaceOfMeter

_STEPS: Final = ("begin", "status", "meter", "confirm", "commit", "cancel")
_PAIRING: Final = frozenset(["unpair", *(f"pair.{step}" for step in _STEPS)])

PATIENCE: Final = timedelta(hours=1)
"""A pairing of which nobody takes a step for so long is given up; no other may begin before."""


class PairingDesk:
    """Where installers pair units with a meter, one at a time, by whatever way they come.

    Args:
        meter: the meter.
        now: the host's UTC.
        durable: brings the meter up to now and commits.
        has_receiver: whether anything brings the telegrams of a unit that is being paired.
    """

    def __init__(
        self,
        meter: Meter,
        now: Callable[[], datetime],
        durable: Callable[[], None],
        *,
        has_receiver: bool,
    ) -> None:
        self._place = PairingPlaceOfMeter(meter)
        self._desk = Desk(self._place, PATIENCE)
        self._now = now
        self._durable = durable
        self._has_receiver = has_receiver

    def free_channel(self) -> str:
        """See `PairingPlaceOfMeter.free_channel`."""
        return self._place.free_channel()

    def hear(self, frame: ReceivedFrame, now: datetime) -> list[tuple[str, bytes]]:
        """Let a pairing that is under way hear a frame; what to send into its reply window."""
        return self._desk.receive(frame, now)

    def status(self) -> dict[str, Any] | None:
        """Where a pairing is, as the collector's `pair.status`; None before the first."""
        try:
            return self._desk.perform({"request": "pair.status"}, self._now())
        except CollectorError:
            return None

    @property
    def _is_paired(self) -> bool:
        status = self.status()
        return status is not None and status["state"] == "paired"

    def take_step(self, step: dict[str, Any], level: Level, author: str) -> dict[str, Any]:
        """Take a step of a pairing: one of the collector's `pair` requests, or `unpair`.

        Raises:
            PairingRefusedError: it was refused; nothing of it was done.
            CheckpointFailedError: a unit is paired or unpaired, and that will be durable when the
                disk takes it, as the sentence says; or nothing of the step was done.
            MeterError: as of `PairingRefusedError`, and nothing else that is said will do.
        """
        require_level(level, Level.INSTALLER, "pair a unit")
        name = step.get("request")
        if not isinstance(name, str) or name not in _PAIRING:
            raise ControlError("there is no such step of a pairing")
        if name == "pair.begin" and not self._has_receiver:
            raise ReceiverMissingError(
                "this meter has no receiver that would hear a unit: name one under"
                " [host.collector] of its file, and start it again"
            )
        self._place.level, self._place.author = level, author
        # A cancel keeps nothing, and a commit that is asked for again is done: the disk need not
        # have room before either.
        if name != "pair.cancel" and not (name == "pair.commit" and self._is_paired):
            self._durable()
        try:
            reply = self._desk.perform(step, self._now())
        except PairingGivenUpError as error:
            raise ControlError(str(error)) from None
        except (CollectorError, SharedError) as error:
            raise PairingRefusedError(str(error)) from None
        if "certificate" in reply:
            self._keep(reply["certificate"])
        return reply

    def _keep(self, done: dict[str, Any]) -> None:
        """Have what was done durable before anybody is told of it."""
        try:
            self._durable()
        except StorageLostError:
            raise
        except CheckpointFailedError as error:
            is_unpaired = done["kind"] == "unpairing"
            what = "is unpaired from" if is_unpaired else "is paired to"
            raise CheckpointFailedError(
                f"the unit {done['serial']} {what} {done['channel']}, which is not durable before"
                f" the disk takes it: {error}"
            ) from None
