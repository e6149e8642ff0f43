"""The keys and passwords of the demo: published, and of no other meter."""

from __future__ import annotations

from typing import Final

from elec_meter.dlms import ClientRule, Keys, management_client, public_client, reader_client

DLMS_PASSWORD: Final = b"halfhourly"
DLMS_KEYS: Final = Keys(
    encryption=bytes.fromhex("000102030405060708090A0B0C0D0E0F"),
    authentication=bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
)
DLMS_MASTER_KEY: Final = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


def dlms_clients() -> tuple[ClientRule, ...]:
    """Public client 16, reader 32 by password or key, management 1 by key."""
    return (
        public_client(),
        reader_client(DLMS_PASSWORD, DLMS_KEYS, DLMS_MASTER_KEY),
        management_client(DLMS_KEYS, DLMS_MASTER_KEY),
    )
