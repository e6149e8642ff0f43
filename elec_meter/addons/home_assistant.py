"""A meter as Home Assistant's MQTT discovery wants it described, sans I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from elec_meter.addons.readings import Readings
from elec_meter.objects import UnitFault
from shared.exact_json import exact_json

ONLINE: Final = "online"
OFFLINE: Final = "offline"

_MAKER: Final = "halfhourly"
_EXPIRES_AFTER: Final = 6
_EXPIRES_MIN_S: Final = 60

_State = Decimal | str | None


class Identity(NamedTuple):
    """Who the meter is.

    Attributes:
        serial: its number.
        firmware: its version.
    """

    serial: str
    firmware: str

    @classmethod
    def of(cls, readings: Readings) -> Identity:
        """As a readout says."""
        serial, firmware = readings["1-0:0.0.0"], readings["1-0:0.2.0"]
        return cls(serial.text or "unknown", firmware.text or "unknown")


class Topics(NamedTuple):
    """Where a meter's messages go.

    Attributes:
        base: of all that is the meter's, such as `halfhourly/00000001`.
        prefix: of discovery, `homeassistant` unless somebody has changed it there.
        node: the meter in discovery topics and unique ids.
    """

    base: str
    prefix: str
    node: str

    @property
    def status(self) -> str:
        """Whether the meter is there: `online` or `offline`, the last will."""
        return f"{self.base}/status"

    @property
    def state(self) -> str:
        """All values, one JSON document."""
        return f"{self.base}/state"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    def config(self, entity: Entity) -> str:
        """Where an entity is announced."""
        return f"{self.prefix}/{entity.component}/{self.node}/{entity.key}/config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What becomes one entity there.

    Attributes:
        key: of its value in the state document.
        name: for people.
        component: `sensor` or `binary_sensor`.
        device_class: as Home Assistant names it.
        unit: as Home Assistant writes it; None for none.
        state_class: None for what has no statistics.
        decimals: that are shown; None for as many as Home Assistant likes.
        is_diagnostic: whether it is of interest to those who look after the meter alone.
        channel: of the unit that it belongs to; 0 for the meter.
    """

    key: str
    name: str
    component: str = "sensor"
    device_class: str
    unit: str | None = None
    state_class: str | None = None
    decimals: int | None = None
    is_diagnostic: bool = False
    channel: int = 0


_MOMENT: Final = (
    ("1-0:1.7.0", "power_import", "Import power", "power", "W", None),
    ("1-0:2.7.0", "power_export", "Export power", "power", "W", None),
    ("1-0:16.7.0", "power", "Power", "power", "W", None),
    # Left to itself Home Assistant shows whole volts and hertz.
    ("1-0:32.7.0", "voltage", "Voltage", "voltage", "V", 1),
    ("1-0:31.7.0", "current", "Current", "current", "A", None),
    ("1-0:14.7.0", "frequency", "Frequency", "frequency", "Hz", 2),
    ("1-0:13.7.0", "power_factor", "Power factor", "power_factor", "", None),
)


def entities(readings: Readings) -> dict[Entity, _State]:
    """Everything that a readout has, known or not, and its value; None for unknown."""
    return dict((*_energies(readings), *_moments(readings), *_gas(readings)))


def state_text(found: dict[Entity, _State]) -> str:
    """The state document: numbers keep all their digits, and what is not known is null."""
    return exact_json({entity.key: value for entity, value in found.items()})


def discovery(
    topics: Topics, identity: Identity, entity: Entity, interval_s: int
) -> dict[str, Any]:
    """The announcement of an entity.

    It is unavailable while the meter is not there, or does not know the value: never 0.

    Args:
        topics: where the meter's messages go.
        identity: who the meter is.
        entity: which.
        interval_s: seconds between two states.
    """
    unique_id = f"{topics.node}_{entity.key}"
    known = f"{{{{ '{ONLINE}' if value_json.{entity.key} is not none else '{OFFLINE}' }}}}"
    described = {
        "name": entity.name,
        "unique_id": unique_id,
        "default_entity_id": f"{entity.component}.{unique_id}",
        "device_class": entity.device_class,
        "state_class": entity.state_class,
        "unit_of_measurement": entity.unit,
        "suggested_display_precision": entity.decimals,
        "entity_category": "diagnostic" if entity.is_diagnostic else None,
        "state_topic": topics.state,
        "value_template": f"{{{{ value_json.{entity.key} }}}}",
        "availability_mode": "all",
        "availability": [
            {"topic": topics.status},
            {"topic": topics.state, "value_template": known},
        ],
        "expire_after": max(_EXPIRES_MIN_S, _EXPIRES_AFTER * interval_s),
        "device": _device(topics, identity, entity.channel),
        "origin": {"name": _MAKER, "sw_version": identity.firmware},
    }
    return {key: value for key, value in described.items() if value is not None}


def _energies(readings: Readings) -> Iterator[tuple[Entity, _State]]:
    for c, key, name in ((1, "import", "Import"), (2, "export", "Export")):
        rates = readings.rates(c)
        listed = [(f"1-0:{c}.8.0", key, name)]
        if len(rates) > 1:
            listed += [
                (code, f"{key}_rate_{rate}", f"{name} rate {rate}")
                for rate, code in enumerate(rates, start=1)
            ]
        for code, each_key, each_name in listed:
            if code in readings:
                entity = Entity(
                    key=each_key,
                    name=each_name,
                    device_class="energy",
                    unit="kWh",
                    state_class="total_increasing",
                )
                yield entity, readings[code].number("kWh")


def _moments(readings: Readings) -> Iterator[tuple[Entity, _State]]:
    for code, key, name, device_class, unit, decimals in _MOMENT:
        if code in readings:
            entity = Entity(
                key=key,
                name=name,
                device_class=device_class,
                unit=unit or None,
                state_class="measurement",
                decimals=decimals,
            )
            yield entity, readings[code].number(unit)


def _gas(readings: Readings) -> Iterator[tuple[Entity, _State]]:
    for channel in readings.channels:
        key = "gas" if channel == 1 else f"gas_{channel}"
        index = Entity(
            key=key,
            name="Gas",
            device_class="gas",
            unit="m³",
            state_class="total_increasing",
            channel=channel,
        )
        yield index, readings[f"0-{channel}:24.2.1"].number("m3")
        left = Entity(
            key=f"{key}_battery_left",
            name="Battery left",
            device_class="duration",
            unit="d",
            state_class="measurement",
            is_diagnostic=True,
            channel=channel,
        )
        if f"0-{channel}:96.6.6" in readings:
            yield left, readings[f"0-{channel}:96.6.6"].number("d")
        low = Entity(
            key=f"{key}_battery_low",
            name="Battery",
            component="binary_sensor",
            device_class="battery",
            is_diagnostic=True,
            channel=channel,
        )
        if f"0-{channel}:97.97.0" in readings:
            yield low, _low_battery(readings[f"0-{channel}:97.97.0"].number())


def _low_battery(faults: Decimal | None) -> str | None:
    """As a binary sensor has it: on is low."""
    if faults is None:
        return None
    return "ON" if UnitFault.LOW_BATTERY in UnitFault(int(faults)) else "OFF"


def _device(topics: Topics, identity: Identity, channel: int) -> dict[str, Any]:
    if not channel:
        return {
            "identifiers": [topics.node],
            "name": f"Electricity meter {identity.serial}",
            "manufacturer": _MAKER,
            "model": "Electricity meter",
            "serial_number": identity.serial,
            "sw_version": identity.firmware,
        }
    return {
        "identifiers": [f"{topics.node}_gas_{channel}"],
        "name": f"Gas meter of {identity.serial}" + (f", channel {channel}" if channel > 1 else ""),
        "manufacturer": _MAKER,
        "model": "Pulse unit",
        "via_device": topics.node,
    }
