"""What all associations of a meter's logical device share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from elec_meter.dlms.ciphering import TITLE_SIZE
from elec_meter.dlms.clients import ClientRule
from elec_meter.dlms.counters import InvocationCounters
from elec_meter.dlms.initiate import Conformance
from elec_meter.dlms.keyring import Keyring
from elec_meter.dlms.policy import OPEN_GATE, Level, LevelGate
from elec_meter.dlms.view import Changes, NoChanges, OwnObject
from elec_meter.dlms.wrapper import PAYLOAD_MAX
from elec_meter.errors import ConfigError
from elec_meter.objects import Directory
from shared.obis import Obis

SERVER_SAP: Final = 1
"""The management logical device: the only one there is."""

OFFERED: Final = (
    Conformance.GENERAL_PROTECTION
    | Conformance.BLOCKS_WITH_GET
    | Conformance.BLOCKS_WITH_SET
    | Conformance.BLOCKS_WITH_ACTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.DATA_NOTIFICATION
    | Conformance.GET
    | Conformance.SET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.ACTION
)
"""Services of the meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalDevice:
    """A meter as DLMS sees it.

    Attributes:
        directory: everything that can be read.
        title: the meter's system title, eight bytes.
        clients: who may associate, with the keys that they were given.
        keyring: the keys that they have now.
        counters: invocation counters; whoever makes `durable` durable saves them with it.
        durable: called before anything is answered: what it has not made durable is not said.
        random_bytes: gives as many bytes of chance as it is told, for challenges.
        record: takes a sentence for the event log: keys were changed.
        changes: what changes anything.
        gate: locks out whoever fails too often.
        further: objects of the service itself, as a level sees them.
        receive_max: bytes of an APDU that the meter takes.

    Raises:
        ConfigError: a title of another size; two clients with one service access point.
    """

    directory: Directory
    title: bytes
    clients: tuple[ClientRule, ...]
    counters: InvocationCounters
    durable: Callable[[], None]
    random_bytes: Callable[[int], bytes]
    keyring: Keyring = field(default_factory=Keyring)
    record: Callable[[str], None] = lambda _: None
    changes: Changes = field(default_factory=NoChanges)
    gate: LevelGate = OPEN_GATE
    further: Callable[[Level], Mapping[Obis, OwnObject]] = lambda _: {}
    receive_max: int = PAYLOAD_MAX

    def __post_init__(self) -> None:
        if len(self.title) != TITLE_SIZE:
            raise ConfigError(f"a DLMS system title has {TITLE_SIZE} bytes, not {len(self.title)}")
        if len({rule.sap for rule in self.clients}) != len(self.clients):
            raise ConfigError("two DLMS clients have one service access point")

    def rule(self, sap: int) -> ClientRule | None:
        """What a client has to do now; None for one that is not known."""
        return next((rule for rule in self.rules() if rule.sap == sap), None)

    def rules(self) -> Iterator[ClientRule]:
        """Every client with what it has to do now."""
        return map(self.keyring.of, self.clients)
