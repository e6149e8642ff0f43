"""A broker that is away for an hour of virtual time, and a meter that will not say its values."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any, Self

import pytest
from aiomqtt import MqttError

from elec_meter.addons import mqtt
from elec_meter.addons.errors import LineRefusedError
from elec_meter.addons.readings import Readings
from elec_meter.addons.settings import Settings
from tests.elec_meter.addons.flying import fly
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.flag.lines import busy_meter

BASE = "halfhourly/00000001"
HOUR_S = 3_600


class Away:
    """A broker that is there from the start, and not for an hour: all that was published."""

    from_s = to_s = 0.0

    def __init__(self) -> None:
        self.tries_s: list[float] = []
        self.told: list[tuple[float, str, Any]] = []

    def client(self, *_: object, **__: object) -> _Client:
        """In the place of aiomqtt's."""
        return _Client(self)

    @property
    def is_away(self) -> bool:
        """Whether nobody answers now."""
        return self.from_s <= asyncio.get_running_loop().time() < self.to_s


class _Client:
    def __init__(self, broker: Away) -> None:
        self._broker = broker
        self.messages = self._messages()

    async def __aenter__(self) -> Self:
        self._broker.tries_s.append(asyncio.get_running_loop().time())
        self._require()
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def subscribe(self, topic: str) -> None:
        self._require()

    async def publish(self, topic: str, payload: Any, **_: object) -> None:
        self._require()
        self._broker.told.append((asyncio.get_running_loop().time(), topic, payload))

    async def _messages(self) -> Any:
        await asyncio.Event().wait()
        yield  # nobody says anything

    def _require(self) -> None:
        if self._broker.is_away:
            raise MqttError("nobody answers")


class Line:
    """A meter that draws a kilowatt."""

    def __init__(self) -> None:
        self.meter = busy_meter()
        self.readouts = 0
        self.refused: tuple[range, ...] = ()
        self.said: list[str] = []

    async def readout(self) -> Readings:
        """One more watt-hour each time."""
        self.readouts += 1
        if any(self.readouts in each for each in self.refused):
            raise LineRefusedError("not now")
        self.meter.book("import", 1)
        return read_out(self.meter)

    def say(self, sentence: str) -> None:
        """Keep it."""
        self.said.append(sentence)


def test_a_broker_that_is_away_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried ever more rarely, up to once a minute; back, it has the newest state alone."""

    async def talk() -> tuple[Away, Line]:
        broker, line = Away(), Line()
        broker.from_s, broker.to_s = 100.0, 100.0 + HOUR_S
        monkeypatch.setattr(mqtt, "Client", broker.client)
        settings = Settings({"url": "mqtt://broker", "interval_s": "60"})
        task = asyncio.create_task(mqtt.run(line, settings))  # type: ignore[arg-type]  # all of it that is used
        await asyncio.sleep(100.0 + HOUR_S + 61.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return broker, line

    broker, line = fly(talk())
    tries_s = [at_s for at_s in broker.tries_s if broker.from_s <= at_s < broker.to_s]
    pauses = [round(later - before) for before, later in pairwise(tries_s)]
    assert [2, 4, 8, 16, 32, 60, 60] == pauses[:7]
    assert {60} == set(pauses[6:])
    states = [(at_s, json.loads(text)) for at_s, topic, text in broker.told if "/state" in topic]
    before = [state for at_s, state in states if at_s < broker.from_s]
    (back_s, first), *_ = [each for each in states if each[0] >= broker.to_s]
    assert 2 == len(before)
    assert back_s < broker.to_s + 60
    assert HOUR_S / 60 <= 1_000 * (first["import"] - before[-1]["import"]) <= HOUR_S / 60 + 2
    assert (f"{BASE}/status", "online") in [told[1:] for told in broker.told if told[0] >= back_s]
    configs = [topic for at_s, topic, _ in broker.told if at_s >= back_s and "/config" in topic]
    assert len(set(configs)) == len(configs) > 5
    assert any("cannot reach broker:1883: nobody answers" in said for said in line.said)


def test_what_the_meter_will_not_say_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends no module: every value is null and none 0, until there is room again."""

    async def talk() -> tuple[Away, Line]:
        broker, line = Away(), Line()
        line.refused = range(1, 4), range(6, 9)
        monkeypatch.setattr(mqtt, "Client", broker.client)
        settings = Settings({"url": "mqtt://broker", "interval_s": "10"})
        task = asyncio.create_task(mqtt.run(line, settings))  # type: ignore[arg-type]  # all of it that is used
        await asyncio.sleep(95.0)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return broker, line

    broker, line = fly(talk())
    states = [json.loads(text) for _, topic, text in broker.told if "/state" in topic]
    imports = [state["import"] for state in states]
    assert [123.464, 123.465, None, None, None, 123.466, 123.467] == imports
    assert {None} == {value for state in states[2:5] for value in state.values()}
    assert states[0].keys() == states[2].keys()
    assert ["publishes no values: not now", "publishes values again"] == line.said[:2]
    assert ["publishes no values: not now", "publishes values again"] == line.said[3:]
