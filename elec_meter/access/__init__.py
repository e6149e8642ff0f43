"""Who may read and change what: one policy for FLAG, DLMS and the panel. Pure."""

from elec_meter.access.errors import (
    AccessError,
    CommandMacError,
    LevelLockedError,
    SignOnRefusedError,
    VerifierError,
)
from elec_meter.access.gate import (
    GATE_KEY,
    PASSWORD_LEVELS,
    PUBLISHED_PASSWORDS,
    Gate,
    Log,
    SignedOn,
)
from elec_meter.access.policy import Level, level_to_change, may_read
from elec_meter.access.signon import (
    COST_LOG2,
    KEY_BYTES,
    MAC_BYTES,
    SALT_BYTES,
    SEED_BYTES,
    client_key,
    command_key,
    command_mac,
    proof,
    stored_key,
)

__all__ = [
    "COST_LOG2",
    "GATE_KEY",
    "KEY_BYTES",
    "MAC_BYTES",
    "PASSWORD_LEVELS",
    "PUBLISHED_PASSWORDS",
    "SALT_BYTES",
    "SEED_BYTES",
    "AccessError",
    "CommandMacError",
    "Gate",
    "Level",
    "LevelLockedError",
    "Log",
    "SignOnRefusedError",
    "SignedOn",
    "VerifierError",
    "client_key",
    "command_key",
    "command_mac",
    "level_to_change",
    "may_read",
    "proof",
    "stored_key",
]
