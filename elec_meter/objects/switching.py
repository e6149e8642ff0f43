"""Objects of what the meter switches: contactor and limiter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from elec_meter.objects.base import CosemObject
from elec_meter.objects.data import Data
from elec_meter.objects.disconnect_control import DisconnectControl
from elec_meter.objects.limiter import Limiter
from elec_meter.objects.register import Register
from elec_meter.objects.sources import Sources
from shared.obis import Obis

CONTACTOR: Final = "0-0:96.3.10"


def switching_objects(sources: Sources, known: Mapping[Obis, CosemObject]) -> Iterator[CosemObject]:
    """The contactor, and the limiter where there is what it watches.

    Args:
        sources: where values come from.
        known: objects that may be watched.
    """
    now, switchgear, config = sources.now, sources.switchgear, sources.config
    contactor = switchgear.contactor
    yield DisconnectControl(
        CONTACTOR, "Contactor", now, lambda _: contactor.state, config.contactor.mode
    )
    yield Data("0-0:128.60.0", "Contactor: why it is so", now, lambda _: contactor.saved.cause)
    yield Data("0-0:128.60.1", "Contactor: openings", now, lambda _: contactor.saved.openings)
    watched = known.get(Obis.parse(config.limiter.object))
    if isinstance(watched, Register):
        yield Limiter("0-0:17.0.0", "Limiter", now, switchgear.limiter, watched, sources.time_s)
    limiter = switchgear.limiter
    yield Data("0-0:128.60.2", "Limiter: locked out", now, lambda _: int(limiter.saved.is_locked))
