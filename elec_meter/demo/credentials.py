"""The keys and passwords of the demo: published, and of no other meter."""

from __future__ import annotations

from typing import Final

from elec_meter.dlms import (
    PUBLISHED_KEYS,
    PUBLISHED_MASTER,
    PUBLISHED_PASSWORD,
    ClientRule,
    management_client,
    public_client,
    reader_client,
)

DLMS_PASSWORD: Final = PUBLISHED_PASSWORD
DLMS_KEYS: Final = PUBLISHED_KEYS
DLMS_MASTER_KEY: Final = PUBLISHED_MASTER


def dlms_clients() -> tuple[ClientRule, ...]:
    """Public client 16, reader 32 by password or key, management 1 by key."""
    return (
        public_client(),
        reader_client(DLMS_PASSWORD, DLMS_KEYS, DLMS_MASTER_KEY),
        management_client(DLMS_KEYS, DLMS_MASTER_KEY),
    )
