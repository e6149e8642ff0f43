"""What every bearer is, and what it hands over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from collector.errors import OneWayBearerError

from .reports import BearerReport


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """Bytes as they came in, and what the bearer knows of their coming.

    Attributes:
        data: one frame, whole; of a Bluetooth advert the service data of BTHome, from the
            information byte on.
        received_utc: when its last byte was in.
        bearer: the bearer's name.
        delay_max_s: the most that can lie between sending and `received_utc`; None if it may have
            been stored anywhere for any time.
        rssi_dbm: signal strength, where there is a signal.
        two_way: whether the unit listens for a reply now.
        address: the sender's Bluetooth address, first byte first, where `data` is the BTHome
            service data of an advert; else None.
    """

    data: bytes
    received_utc: datetime
    bearer: str
    delay_max_s: int | None
    rssi_dbm: int | None = None
    two_way: bool = True
    address: bytes | None = None


class Bearer(ABC):
    """A way from pulse units to the collector, and perhaps back.

    Attributes:
        name: as it appears in events.
        is_two_way: whether `reply` can reach a unit.
    """

    name: str
    is_two_way: bool = False

    @abstractmethod
    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """Frames received up to an instant and not handed over before, in order of reception.

        Args:
            utc_ms: UNIX milliseconds.

        Raises:
            BearerClosedError: after `close`.
        """

    @abstractmethod
    def next_frame_utc_ms(self) -> int | None:
        """When the next frame that is under way will be in; None if none is known of."""

    def reply(self, serial: str, data: bytes) -> None:  # noqa: ARG002 - for those that can
        """Send to a unit in the reply window of what was just received from it.

        Raises:
            OneWayBearerError: no unit can be reached through this bearer.
            BearerClosedError: after `close`.
        """
        raise OneWayBearerError(f"{self.name} cannot reach the unit {serial}")

    def add_unit(self, serial: str, address: bytes) -> None:  # noqa: B027 - most connect to none
        """Connect to a unit from now on, where that is how it is reached.

        Args:
            serial: eight digits.
            address: its Bluetooth address, six bytes, first byte first.

        Raises:
            BearerSettingError: it is no address.
        """

    def drop_unit(self, serial: str) -> None:  # noqa: B027 - most connect to none
        """Connect to a unit no more; what it was to be asked is forgotten."""

    def reads_log(self, serial: str) -> bool:  # noqa: ARG002 - for those that can
        """Whether `ask_log` can reach a unit, now or in its next window."""
        return False

    def ask_log(
        self,
        serial: str,
        *,
        boot: int = 0,  # noqa: ARG002 - for those that can
        tick_s: int = 0,  # noqa: ARG002 - for those that can
        limit: int = 0,  # noqa: ARG002 - for those that can
        newest: bool = False,  # noqa: ARG002 - for those that can
    ) -> None:
        """Read a unit's log as soon as it can be; `LogAnswered` has it, or `LogUnanswered` tells.

        Args:
            serial: the unit.
            boot: with ``tick_s``, the entry after which the answer begins; (0, 0) is before all.
            tick_s: see ``boot``.
            limit: at most so many entries; 0 for all.
            newest: whether they are the last ``limit`` of the log.

        Raises:
            OneWayBearerError: no unit's log can be read through this bearer.
            BearerSettingError: the unit is none of the bearer's.
            BearerClosedError: after `close`.
            Malformed: no request has such numbers.
        """
        raise OneWayBearerError(f"{self.name} cannot read the log of the unit {serial}")

    def take_reports(self) -> list[BearerReport]:
        """What has become of its device and of what was sent, not taken before, in order."""
        return []

    @abstractmethod
    def close(self) -> None:
        """Give the device back; a second time does nothing."""
