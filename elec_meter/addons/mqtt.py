"""The module `mqtt`: publishes the meter to a broker, as Home Assistant finds it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Final

from elec_meter.addons.errors import AddonError
from elec_meter.addons.home_assistant import (
    OFFLINE,
    ONLINE,
    Entity,
    Identity,
    Topics,
    discovery,
    entities,
    state_text,
)
from elec_meter.addons.line import MeterLine
from elec_meter.addons.mqtt_settings import Broker, MqttSettings
from elec_meter.addons.readings import Readings
from elec_meter.addons.readouts import Readouts
from elec_meter.addons.settings import Settings
from shared.extras import installing

try:
    from aiomqtt import Client, MqttError, Will
except ImportError:  # pragma: no cover - the extra is installed where this is tested
    raise AddonError("mqtt needs aiomqtt: " + installing("mqtt")) from None

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""Between two tries of a broker that cannot be reached."""

_ANSWER_S: Final = 10.0
_KEEPALIVE_S: Final = 30
_QUEUE: Final = 100
_QOS: Final = 1


@dataclass(slots=True)
class _News:
    """The last readout; older ones are forgotten, however long the broker is away."""

    readings: Readings | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, readings: Readings) -> None:
        async with self.changed:
            self.readings = readings
            self.changed.notify_all()

    async def next(self) -> Readings:
        async with self.changed:
            await self.changed.wait()
            assert self.readings is not None
            return self.readings


async def run(line: MeterLine, settings: Settings) -> None:
    """Publish for ever.

    Settings: `url`, `password_file`, `ca_file`, `certificate_file`, `key_file`, `interval_s`,
    `discovery_prefix`.

    Raises:
        AddonError: a setting is wrong, or the meter is gone. A broker that is gone is no error, nor
            a meter that will not say its values now: they are unknown then.
    """
    told = MqttSettings.of(settings)
    broker = told.broker()
    source = Readouts(line, "publishes no values", "publishes values again")
    while (readings := await source.next()) is None:
        await asyncio.sleep(told.interval_s)
    identity = Identity.of(readings)
    serial = identity.serial
    topics = Topics(f"{told.base}/{serial}", told.prefix, f"halfhourly_{serial}")
    publisher = _Publisher(broker, topics, identity, told.interval_s)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.publish_for_ever(line))
        while True:
            await publisher.news.put(readings)
            await asyncio.sleep(told.interval_s)
            readings = await source.next() or readings.forgotten()


class _Publisher:
    def __init__(self, broker: Broker, topics: Topics, identity: Identity, interval_s: int) -> None:
        self.news = _News()
        self._broker = broker
        self._topics = topics
        self._identity = identity
        self._interval_s = interval_s
        self._announced: set[Entity] = set()

    async def publish_for_ever(self, line: MeterLine) -> None:
        """Connect, and connect again, with growing pauses."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._client() as client:
                    line.say(f"publishes to {self._broker} at {self._topics.base}")
                    pause_s = FIRST_PAUSE_S
                    await self._publish(client)
            except (MqttError, OSError) as error:
                line.say(f"cannot reach {self._broker}: {error}; tries again in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = longer(pause_s)

    def _client(self) -> Client:
        broker, topics = self._broker, self._topics
        return Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            tls_context=broker.tls,
            identifier=topics.node,
            will=Will(topics.status, OFFLINE, qos=_QOS, retain=True),
            timeout=_ANSWER_S,
            keepalive=_KEEPALIVE_S,
            max_queued_incoming_messages=_QUEUE,
            max_queued_outgoing_messages=_QUEUE,
        )

    async def _publish(self, client: Client) -> None:
        """Announce, then say every state, until the connection breaks."""
        self._announced.clear()
        await client.subscribe(self._topics.birth)
        await client.subscribe(f"{self._topics.prefix}/+/{self._topics.node}/+/config")
        listening = asyncio.create_task(self._listen(client))
        try:
            await self._say(client)
            await client.publish(self._topics.status, ONLINE, qos=_QOS, retain=True)
            while not listening.done():
                coming = asyncio.create_task(self.news.next())
                await asyncio.wait({listening, coming}, return_when=asyncio.FIRST_COMPLETED)
                coming.cancel()
                await self._say(client)
            listening.result()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _say(self, client: Client) -> None:
        """What has not been announced yet, and the state."""
        readings = self.news.readings
        if readings is None:
            return
        found = entities(readings)
        known, self._announced = self._announced, set(found)
        for entity in found:  # in order: the meter is there before the gas meter behind it
            if entity in known:
                continue
            config = discovery(self._topics, self._identity, entity, self._interval_s)
            topic = self._topics.config(entity)
            await client.publish(topic, json.dumps(config), qos=_QOS, retain=True)
        await client.publish(self._topics.state, state_text(found), qos=_QOS, retain=True)

    async def _listen(self, client: Client) -> None:
        """Home Assistant has started: tell it again. An entity that is no more: take it back."""
        async for message in client.messages:
            topic = str(message.topic)
            if topic == self._topics.birth:
                if message.payload == ONLINE.encode():
                    self._announced.clear()
                    await self._say(client)
                continue
            known = {self._topics.config(entity) for entity in self._announced}
            if message.payload and known and topic not in known:
                await client.publish(topic, b"", qos=_QOS, retain=True)


def longer(pause_s: float) -> float:
    """The pause after one that was in vain."""
    return min(LONGEST_PAUSE_S, 2 * pause_s)
