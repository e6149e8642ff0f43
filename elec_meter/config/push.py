"""To whom the meter speaks unasked, and of what."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .base import Document, ObisText, Printable, refuse_repeated, require_obis

UNTIL_DELIVERED: Final = 255
"""As a number of repetitions: as many as it takes."""

_PORT_MAX: Final = 65_535


class PushObject(Document, frozen=True):
    """What a notification tells: an object's attribute, as DLMS has it.

    Attributes:
        object: OBIS code; of the load profile, 1-0:99.1.0, the rows that are not delivered yet.
        attribute: number of the attribute.
    """

    object: ObisText
    attribute: Annotated[int, Meta(ge=1, le=127)] = 2

    def __post_init__(self) -> None:
        require_obis(self.object)


class PushConfig(Document, frozen=True):
    """Half-hours and alarms for a head end that has not asked.

    Attributes:
        destination: HOST:PORT of the head end; empty for nobody.
        client: the DLMS client whose keys protect what is sent.
        objects: what is told whenever a half-hour has closed or an alarm was raised.
        look_every_s: how often it is seen whether there is anything to be sent.
        retries: repetitions of what is not delivered, before the next half-hour or alarm is waited
            for; 255 for as many as it takes. What is missed comes with what is sent next.
        delay_s: seconds before the first repetition; they double with every further one.
        delay_max_s: the most.
        keep_days: rows that are older are not sent any more; they can still be read.
    """

    destination: Annotated[Printable, Meta(max_length=260)] = ""
    client: Annotated[int, Meta(ge=1, le=127)] = 1
    objects: Annotated[tuple[PushObject, ...], Meta(min_length=1, max_length=32)] = (
        PushObject(object="0-0:42.0.0"),
        PushObject(object="1-0:99.1.0"),
        PushObject(object="0-0:97.98.20"),
    )
    look_every_s: Annotated[int, Meta(ge=1, le=3_600)] = 30
    retries: Annotated[int, Meta(ge=0, le=UNTIL_DELIVERED)] = UNTIL_DELIVERED
    delay_s: Annotated[int, Meta(ge=1, le=65_535)] = 10
    delay_max_s: Annotated[int, Meta(ge=1, le=86_400)] = 3_600
    keep_days: Annotated[int, Meta(ge=1, le=366)] = 31

    def __post_init__(self) -> None:
        if self.destination and self.address is None:
            raise ValueError(f"{self.destination[:40]!r} is no HOST:PORT")
        if self.delay_max_s < self.delay_s:
            raise ValueError("'delay_max_s' is at least 'delay_s'")
        named = [f"{each.object};{each.attribute}" for each in self.objects]
        refuse_repeated("push object", named)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the head end; None for nobody."""
        host, _, port = self.destination.rpartition(":")
        is_bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
        if not host or is_bare or " " in host or not port.isdecimal():
            return None
        number = int(port)
        return (host.strip("[]"), number) if 1 <= number <= _PORT_MAX else None
