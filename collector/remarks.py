"""What a reception tells of a unit besides readings: a restart, a flow, tampering, a battery."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from shared.timegrid import unix_ms
from shared.wire.telegram import FLAG_LOW_BATTERY

from . import alarms, events
from .entries import TelegramKey
from .events import Event, TelegramReceived
from .fleet import UnitRecord
from .journal import LastHeard
from .storage.registry import Registry


class Remarks:
    """A unit's remarks; which of its alarms are up is kept, so that each is told once.

    Args:
        registry: where that is kept.
        record: the unit.
    """

    def __init__(self, registry: Registry, record: UnitRecord) -> None:
        self._registry = registry
        self._record = record
        self._alarms = registry.alarms(record.serial)

    def alarms(self, heard: LastHeard | None) -> int:
        """Flags that a person must hear of, as far as they are up: `FLAG_...`.

        Args:
            heard: the newest telegram.
        """
        return alarms.shown(self._known(heard))

    def of_telegram(
        self, received: TelegramReceived, before: LastHeard | None, pulses: int, *, is_lower: bool
    ) -> Iterator[Event]:
        """What a telegram tells.

        Args:
            received: it.
            before: the newest one before it.
            pulses: by how much the register rose.
            is_lower: whether its count is a lower one than is possible.
        """
        received_utc, serial, telegram = received.received_utc, received.serial, received.telegram
        key = TelegramKey(received.boot, received.counter)
        if is_lower:
            yield events.CountRolledBack(
                received_utc=received_utc, serial=serial, count=telegram.count
            )
        if before is not None and key < before.key:
            return  # it is late: what it says of the unit's state is past
        if before is not None and key.boot > before.key.boot:
            yield events.UnitReset(received_utc=received_utc, serial=serial, boot=key.boot)
        yield from self._of_flow(received_utc, pulses, self._elapsed_s(received, before))
        # An earlier version went by the telegram before.
        known, raised = alarms.after_telegram(self._known(before), telegram.error_flags)
        yield from self._of_alarms(
            received_utc, known, raised, telegram.error_flags, telegram.battery_left_d
        )

    def of_count(
        self,
        received_utc: datetime,
        count: int,
        pulses: int,
        heard_utc: datetime,
        *,
        is_lower: bool,
    ) -> Iterator[Event]:
        """What a count without a clock tells; `heard_utc` is when the unit was heard before."""
        if is_lower:
            yield events.CountRolledBack(
                received_utc=received_utc, serial=self._record.serial, count=count
            )
        yield from self._of_flow(received_utc, pulses, _waited_s(received_utc, heard_utc))

    def of_flags(
        self, received_utc: datetime, error_flags: int, heard: LastHeard | None
    ) -> Iterator[Event]:
        """What the flags of an advert tell, or of another maker's meter."""
        known, raised = alarms.after_advert(self._known(heard), error_flags)
        yield from self._of_alarms(received_utc, known, raised, error_flags, None)

    def _known(self, heard: LastHeard | None) -> int:
        if self._alarms is not None:
            return self._alarms
        return 0 if heard is None else heard.error_flags & alarms.ALARM_FLAGS

    def _of_alarms(
        self,
        received_utc: datetime,
        known: int,
        raised: int,
        error_flags: int,
        battery_left_d: int | None,
    ) -> Iterator[Event]:
        serial = self._record.serial
        if known != self._alarms:
            self._alarms = known
            self._registry.set_alarms(serial, known)
        if raised & alarms.TAMPER_FLAGS:
            yield events.TamperSeen(
                received_utc=received_utc, serial=serial, error_flags=error_flags
            )
        if raised & FLAG_LOW_BATTERY:
            yield events.LowBattery(
                received_utc=received_utc, serial=serial, battery_left_d=battery_left_d
            )

    def _of_flow(self, received_utc: datetime, pulses: int, elapsed_s: int) -> Iterator[Event]:
        if pulses > self._record.pulses_max(elapsed_s):
            yield events.ImplausibleFlow(
                received_utc=received_utc,
                serial=self._record.serial,
                pulses=pulses,
                elapsed_s=elapsed_s,
            )

    def _elapsed_s(self, received: TelegramReceived, before: LastHeard | None) -> int:
        """The time in which what is new was counted, rather too long than too short."""
        if before is not None and received.boot == before.key.boot:
            return max(0, received.telegram.uptime_s - before.uptime_s) + 2
        since_utc = self._record.paired_utc if before is None else before.heard_utc
        return _waited_s(received.received_utc, since_utc)


def _waited_s(received_utc: datetime, since_utc: datetime) -> int:
    # The first of the two may have been under way for as long as its bearer allows.
    return max(0, (unix_ms(received_utc) - unix_ms(since_utc)) // 1000) + 60
