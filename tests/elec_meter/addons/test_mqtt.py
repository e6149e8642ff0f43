from __future__ import annotations

import asyncio
import copy
import gc
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import Client

from elec_meter.addons import mqtt
from elec_meter.addons.errors import SettingError
from elec_meter.addons.home_assistant import Identity, Topics, entities
from elec_meter.addons.mqtt import _Publisher
from elec_meter.addons.mqtt_settings import Broker as At
from elec_meter.addons.settings import Settings
from elec_meter.addons.slot import Slots
from elec_meter.config import AddonConfig, AddonSetting
from tests.certificates import self_signed
from tests.elec_meter.addons.broker import (
    Broker,
    broker,
    free_port,
    needs_mosquitto,
    password_lines,
    trusting,
)
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.addons.test_slot import Meter, until
from tests.elec_meter.flag.lines import busy_meter

BASE = "halfhourly/00000001"
CONFIGS = "homeassistant/+/halfhourly_00000001/+/config"

pytestmark = needs_mosquitto


def mqtt_module(url: str, **settings: str) -> AddonConfig:
    """The module with these settings, a state a second."""
    given = {"url": url, "interval_s": "1", **settings}
    listed = tuple(AddonSetting(name=name, value=value) for name, value in given.items())
    return AddonConfig(name="mqtt", module="mqtt", budget_ma=2_000, settings=listed)


def living(
    addon: AddonConfig, talk: Callable[[Meter], Awaitable[None]], longest_s: float = 60
) -> Meter:
    """Run a meter with the module while a talk lasts."""

    async def run() -> Meter:
        meter = Meter()
        meter.addons = (addon,)
        meter.slots = Slots(meter.surroundings(), lambda: meter.addons)
        try:
            async with asyncio.timeout(longest_s):
                await talk(meter)
        finally:
            await meter.slots.close()
        return meter

    return asyncio.run(run())


class Listener:
    """Everything that was published since it began, retained messages first."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes, bool]] = []

    def last(self, topic: str) -> bytes | None:
        """What was last said there."""
        return next((payload for at, payload, _ in reversed(self.heard) if at == topic), None)

    def state(self) -> dict[str, Any]:
        """The last state."""
        return dict(json.loads(self.last(f"{BASE}/state") or b"{}"))

    def configs(self) -> list[str]:
        """The topics of all announcements heard, as often as they were heard."""
        return [topic for topic, payload, _ in self.heard if topic.endswith("/config") and payload]

    async def listen(self) -> None:
        """For ever."""
        for topic in (f"{BASE}/#", CONFIGS):
            await self.client.subscribe(topic)
        async for message in self.client.messages:
            self.heard.append((str(message.topic), bytes(message.payload), message.retain))


async def listening(
    at: Broker, talk: Callable[[Listener], Awaitable[None]], **options: Any
) -> None:
    """Listen while a talk lasts."""
    async with Client("127.0.0.1", at.port, **options) as client:
        listener = Listener(client)
        task = asyncio.create_task(listener.listen())
        try:
            await talk(listener)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def test_home_assistant_finds_the_meter(tmp_path: Path) -> None:
    """Announcements, state and status are retained, and the state is the registers."""

    async def talk(meter: Meter) -> None:
        await until(lambda: meter.said)

        async def first(listener: Listener) -> None:
            await until(lambda: listener.last(f"{BASE}/status") == b"online")

        async def second(listener: Listener) -> None:
            await until(lambda: listener.last(f"{BASE}/status") and listener.state())
            retained = {topic for topic, _, is_retained in listener.heard if is_retained}
            assert f"{BASE}/state" in retained
            assert f"{BASE}/status" in retained
            assert "homeassistant/sensor/halfhourly_00000001/import/config" in retained
            assert "homeassistant/binary_sensor/halfhourly_00000001/gas_battery_low/config" in (
                retained
            )
            assert 123.463 == listener.state()["import"]
            meter.meter.book("import", 1_000)
            meter.meter.live = None
            await until(lambda: listener.state()["import"] == 124.463)
            assert listener.state()["power"] is None

        await listening(at, first)
        await listening(at, second)

    with broker(tmp_path) as at:
        living(mqtt_module(f"mqtt://127.0.0.1:{at.port}"), talk)


def test_the_last_will_says_that_the_meter_is_gone(tmp_path: Path) -> None:
    """A module that was switched off is offline, for everybody who comes later too."""

    async def talk(meter: Meter) -> None:
        async def heard(listener: Listener) -> None:
            await until(lambda: listener.last(f"{BASE}/status") == b"online")
            meter.addons = ()
            await until(lambda: listener.last(f"{BASE}/status") == b"offline")

        await listening(at, heard)

    with broker(tmp_path) as at:
        living(mqtt_module(f"mqtt://127.0.0.1:{at.port}"), talk)


def test_it_is_announced_again_when_home_assistant_starts(tmp_path: Path) -> None:
    """Every entity once more; and one that is no more is taken back."""
    old = "homeassistant/sensor/halfhourly_00000001/import_rate_9/config"

    async def talk(meter: Meter) -> None:
        async def heard(listener: Listener) -> None:
            await listener.client.publish(old, b'{"name": "old"}', qos=1, retain=True)
            await until(lambda: listener.last(f"{BASE}/status") == b"online")
            await until(lambda: listener.last(old) == b"")
            count = len(set(listener.configs()))
            listener.heard.clear()
            await listener.client.publish("homeassistant/status", b"online")
            await until(lambda: len(set(listener.configs())) == count - 1)
            assert old not in listener.configs()

        await listening(at, heard)

    with broker(tmp_path) as at:
        living(mqtt_module(f"mqtt://127.0.0.1:{at.port}"), talk)


def test_a_broker_that_comes_back_is_found_again(tmp_path: Path) -> None:
    """It gets announcements and the newest state, and the module was never restarted."""

    async def talk(meter: Meter) -> None:
        async def online(listener: Listener) -> None:
            await until(lambda: listener.last(f"{BASE}/status") == b"online")

        async def again(listener: Listener) -> None:
            await online(listener)
            await until(lambda: listener.state().get("import") == 124.463)
            assert listener.configs()

        await listening(at, online)
        at.stop()
        await until(lambda: any("cannot reach" in said for _, said in meter.said))
        meter.meter.book("import", 1_000)
        at.start()
        await listening(at, again)
        assert 0 == meter.status("mqtt")["restarts"]

    with broker(tmp_path) as at:
        assert [] == living(mqtt_module(f"mqtt://127.0.0.1:{at.port}"), talk).news


def test_passwords_are_used(tmp_path: Path) -> None:
    """With the right one it publishes; with a wrong one it says so and tries again."""
    secret = tmp_path / "secret"

    async def published(meter: Meter) -> None:
        await until(lambda: any("publishes to" in said for _, said in meter.said))

    async def refused(meter: Meter) -> None:
        await until(lambda: any("cannot reach" in said for _, said in meter.said))
        assert not any("publishes to" in said for _, said in meter.said)

    with broker(tmp_path, *password_lines(tmp_path, "meter", "s3cret")) as at:
        url = f"mqtt://meter@127.0.0.1:{at.port}"
        secret.write_text("s3cret\n")
        living(mqtt_module(url, password_file=str(secret)), published)
        secret.write_text("wrong\n")
        meter = living(mqtt_module(url, password_file=str(secret)), refused)
        assert not any("wrong" in said for _, said in meter.said)


def test_only_a_certificate_that_is_trusted_is_taken(tmp_path: Path) -> None:
    """A mismatch is said, and nothing is published."""
    own, key, _ = self_signed(tmp_path, "own")
    other, *_ = self_signed(tmp_path, "other")

    async def published(meter: Meter) -> None:
        async def heard(listener: Listener) -> None:
            await until(lambda: listener.last(f"{BASE}/status") == b"online")

        await listening(at, heard, tls_context=trusting(own))

    async def refused(meter: Meter) -> None:
        await until(lambda: any("certificate verify failed" in said for _, said in meter.said))

    with broker(tmp_path, f"certfile {own}", f"keyfile {key}") as at:
        url = f"mqtts://127.0.0.1:{at.port}"
        living(mqtt_module(url, ca_file=str(other)), refused)
        living(mqtt_module(url, ca_file=str(own)), published)
        clear = f"mqtt://127.0.0.1:{at.port}"

        async def nothing(meter: Meter) -> None:
            await until(lambda: any("cannot reach" in said for _, said in meter.said))

        living(mqtt_module(clear), nothing)


def test_pauses_grow_while_the_broker_is_away() -> None:
    """From a second to a minute: an hour costs some sixty tries."""
    pauses, pause_s = [], mqtt.FIRST_PAUSE_S
    while sum(pauses) < 3_600:
        pauses.append(pause_s)
        pause_s = mqtt.longer(pause_s)
    assert [1, 2, 4, 8, 16, 32, 60, 60] == pauses[:8]
    assert 60 <= len(pauses) <= 70


def test_the_meter_is_announced_before_what_is_behind_it() -> None:
    """In the order of the readout, once each, and then the state."""
    sent: list[str] = []

    class Client:
        async def publish(self, topic: str, payload: str, **_: object) -> None:
            sent.append(topic)

    async def talk() -> None:
        topics = Topics(BASE, "homeassistant", "halfhourly_00000001")
        at = At("127.0.0.1", 1, None, None, None)
        publisher = _Publisher(at, topics, Identity("00000001", "0.1.0"), 10)
        await publisher.news.put(read_out(busy_meter()))
        for _ in range(2):
            await publisher._say(Client())  # type: ignore[arg-type]  # all that it uses

    asyncio.run(talk())
    keys = [topic.split("/")[3] for topic in sent if topic.endswith("/config")]
    assert keys == [entity.key for entity in entities(read_out(busy_meter()))]
    assert "import" == keys[0]
    assert ["gas", "gas_battery_left", "gas_battery_low"] == keys[-3:]
    assert [f"{BASE}/state"] * 2 == sent[len(keys) :]


def test_a_broker_that_is_away_for_long_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the readouts meanwhile the last one is kept; hundreds of tries leave nothing behind."""
    monkeypatch.setattr(mqtt, "longer", lambda _: 0.001)
    monkeypatch.setattr(mqtt, "FIRST_PAUSE_S", 0.001)
    said: list[str] = []

    class Line:
        def say(self, sentence: str) -> None:
            said[:] = [sentence]
            tries.append(1)

    tries: list[int] = []
    read = read_out(busy_meter())

    async def talk() -> int:
        at = At("127.0.0.1", free_port(), None, None, None)
        topics = Topics(BASE, "homeassistant", "halfhourly_00000001")
        publisher = _Publisher(at, topics, Identity("00000001", "0.1.0"), 10)
        task = asyncio.create_task(publisher.publish_for_ever(Line()))  # type: ignore[arg-type]  # all that it uses
        sizes = []
        for goal in (50, 250):
            while len(tries) < goal:
                await publisher.news.put(copy.deepcopy(read))
                await asyncio.sleep(0.002)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return sizes[1] - sizes[0]

    tracemalloc.start()
    try:
        grown = asyncio.run(talk())
    finally:
        tracemalloc.stop()
    assert "cannot reach" in said[0]
    assert grown < 200 * 200  # less than 200 bytes a try


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "the setting url is written mqtt://HOST:PORT"),
        ({"url": "http://127.0.0.1"}, "the setting url is written"),
        ({"url": "mqtt://"}, "the setting url is written"),
        ({"url": "mqtt://host:99999"}, "the port in the setting url is a whole number from 1"),
        ({"url": "mqtt://host:0"}, "the port in the setting url is a whole number from 1"),
        ({"url": "mqtt://host/a#b"}, "a topic, in which there is no '\\?' and no '#'"),
        ({"url": "mqtt://host/" + 128 * "x"}, "is no topic to publish to"),
        ({"url": "mqtt://host", "ca_file": "/ca.pem"}, "certificates are for a url that begins"),
        ({"url": "mqtts://host", "ca_file": "/not/there"}, "/not/there, which cannot be read"),
        ({"url": "mqtts://host", "ca_file": "ca.pem"}, "a path from / on is needed"),
        ({"url": "mqtts://host", "key_file": "/key"}, "key_file needs certificate_file"),
        ({"url": "mqtt://host", "password_file": "/dev/null"}, "is for a url with a USER"),
        ({"url": "mqtt://me@host", "password_file": "/dev/null"}, "/dev/null, which is no file"),
        ({"url": "mqtt://me@host", "password_file": "/not/there"}, "which cannot be read"),
        ({"url": "mqtt://host", "interval_s": "0"}, "interval_s is a whole number from 1"),
        ({"url": "mqtt://host", "prefix": "x"}, "there is no setting 'prefix'"),
    ],
)
def test_settings_that_are_wrong_are_said(settings: dict[str, str], sentence: str) -> None:
    """Before anything is connected."""
    with pytest.raises(SettingError, match=sentence):
        asyncio.run(mqtt.run(None, Settings(settings)))  # type: ignore[arg-type]  # refused before
