"""The object list: the longest answer there is, made once, and read no more often than is good."""

from __future__ import annotations

import pytest

from elec_meter.dlms import listing
from elec_meter.dlms.blocks import READ_MAX
from elec_meter.dlms.get import GetList, GetNext
from elec_meter.dlms.services import AccessResult
from tests.elec_meter.dlms.asking import associated, lived_in, name

METER = lived_in(48)
OBJECTS = name("0-0:40.0.0", class_id=15)


def test_the_list_of_objects_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often an association reads it, and again where the meter has other objects."""
    meter = lived_in(1)
    made = []
    make = listing._object_list
    monkeypatch.setattr(listing, "_object_list", lambda view: made.append(view) or make(view))
    client = associated(meter)
    first = [client.get(OBJECTS) for _ in range(20)][-1]
    assert 1 == len(made)
    monkeypatch.setattr(type(meter.directory), "content", property(lambda _: METER.directory))
    assert first == client.get(OBJECTS)
    assert 2 == len(made)


def test_a_list_is_read_up_to_a_bound() -> None:
    """Values are given until they are enough for one answer; what is behind them is refused."""
    client = associated(METER)
    size = len(client.get(OBJECTS))
    count = -(-READ_MAX // size)
    answer = client.ask(GetList(0xC1, (OBJECTS,) * 64))
    raw = b""
    while not answer.is_last:
        raw += answer.raw
        answer = client.ask(GetNext(0xC1, answer.number))
    raw += answer.raw
    refused = bytes((1, AccessResult.DATA_BLOCK_UNAVAILABLE))
    assert raw.endswith(refused * (64 - count))
    assert 1 + count * (size + 1) + (64 - count) * len(refused) == len(raw)
