from __future__ import annotations

import pytest

from elec_meter.access import Level, client_key, command_key, command_mac, proof, stored_key
from elec_meter.access.signon import proven_key

SALT = bytes(range(0x10))
SEED = bytes(range(0x10, 0x20))
SERIAL = "00000001"
STORED = bytes.fromhex("8ad87471e62bd8dfdb9aadc4f0fc020d506ab9cc909a2e641deaecc49312da84")
PROOF = bytes.fromhex("F98DC505B98E9881A1224C311A11D6873E4A8CFBA35E32A4E01A6818193C7850")


@pytest.fixture(scope="module")
def client() -> bytes:
    """CK of the published vector."""
    return client_key("supplier", SALT, Level.SUPPLIER)


def test_the_published_vector_holds(client: bytes) -> None:
    """What the meter stores, and what the supplier sends, to the last bit."""
    assert STORED == stored_key(client)
    assert PROOF == proof(client, SERIAL, Level.SUPPLIER, SEED)
    assert client == proven_key(STORED, PROOF, SERIAL, Level.SUPPLIER, SEED)


@pytest.mark.parametrize("bit", range(0, 256, 15))
def test_a_proof_with_a_wrong_bit_proves_nothing(bit: int) -> None:
    """Wherever it is."""
    wrong = (int.from_bytes(PROOF, "big") ^ 1 << bit).to_bytes(32, "big")
    assert proven_key(STORED, wrong, SERIAL, Level.SUPPLIER, SEED) is None


def test_a_proof_is_for_one_seed_level_and_meter(client: bytes) -> None:
    """What was overheard opens nothing else, and what is stored is no proof."""
    for serial, level, seed in (
        (SERIAL, Level.SUPPLIER, SALT),
        (SERIAL, Level.INSTALLER, SEED),
        ("00000002", Level.SUPPLIER, SEED),
    ):
        assert proven_key(STORED, PROOF, serial, level, seed) is None
    assert proven_key(STORED, STORED, SERIAL, Level.SUPPLIER, SEED) is None
    assert client not in (STORED, PROOF)


def test_a_command_has_its_own_mac_each_time(client: bytes) -> None:
    """The number, the place, the command, the seed and the meter count."""
    key = command_key(client, SERIAL, Level.SUPPLIER, SEED)
    macs = {
        command_mac(key, 0, 0, b"W1"),
        command_mac(key, 1, 0, b"W1"),
        command_mac(key, 0, 1, b"W1"),
        command_mac(key, 0, 0, b"W5"),
        command_mac(command_key(client, SERIAL, Level.SUPPLIER, SALT), 0, 0, b"W1"),
        command_mac(command_key(client, "00000002", Level.SUPPLIER, SEED), 0, 0, b"W1"),
    }
    assert 6 == len(macs)
    assert {8} == {len(mac) for mac in macs}
