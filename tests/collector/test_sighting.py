"""Which Bluetooth address is a unit's is told by its key, whatever else is in the air."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector import ReceivedFrame
from collector.sighting import Sighting
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import advert_key, count_objects, seal_advert
from tests.collector.frames import KEY, heard, received

ADDRESS = bytes.fromhex("C0FFEE123456")


def _advert(address: bytes, key: bytes = KEY, counter: int = 1) -> ReceivedFrame:
    objects = count_objects(counter, 5, None)
    data = seal_advert(AesBlock, advert_key(AesBlock, key, address), address, objects, counter)
    return replace(received(data, 1, 60), address=address)


def test_the_address_of_the_advert_that_opens() -> None:
    """A neighbour's unit, a telegram and what is no advert are passed over; the first stays."""
    sighting = Sighting(KEY)
    plain = replace(received(bytes.fromhex("40003E05000000"), 1, 60), address=ADDRESS)
    for frame in (
        heard(3, 1, 1),
        _advert(bytes(6), bytes(16)),
        plain,
        replace(_advert(ADDRESS), address=bytes(6)),
    ):
        sighting.see(frame)
        assert sighting.address is None
    sighting.see(_advert(ADDRESS))
    assert sighting.address == ADDRESS
    sighting.see(_advert(bytes([1] * 6)))
    assert sighting.address == ADDRESS


@pytest.mark.parametrize("data", [b"", b"\x45", bytes(3), b"\xff" * 31])
def test_bytes_that_are_no_advert(data: bytes) -> None:
    """Nothing is raised for them, and a damaged advert does not shut its sender out."""
    sighting = Sighting(KEY)
    sighting.see(replace(_advert(ADDRESS), data=data))
    assert sighting.address is None
    sighting.see(_advert(ADDRESS))
    assert sighting.address == ADDRESS


def test_a_stranger_costs_three_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its adverts are not tried for ever, and no crowd of senders fills the memory."""
    tried = []

    def counted(aes: object, key: bytes, address: bytes) -> bytes:
        tried.append(address)
        return advert_key(AesBlock, key, address)

    monkeypatch.setattr("shared.wire.advert.advert_key", counted)
    sighting = Sighting(KEY)
    for counter in range(1, 10):
        sighting.see(_advert(bytes(6), bytes(16), counter))
    assert [bytes(6)] * 3 == tried
    for sender in range(2_000):
        sighting.see(replace(_advert(ADDRESS), address=sender.to_bytes(6, "big")))
    assert len(set(tried)) <= 1_000
