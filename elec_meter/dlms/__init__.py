"""DLMS/COSEM: a rendering of the directory (IEC 62056-5-3, -46, -47)."""

from elec_meter.dlms.changes import ActionsOf, DirectoryChanges
from elec_meter.dlms.ciphering import Keys, Protection
from elec_meter.dlms.clients import (
    ClientRule,
    management_client,
    public_client,
    reader_client,
)
from elec_meter.dlms.counters import InvocationCounters
from elec_meter.dlms.credentials import (
    KEYED_CLIENTS,
    MANAGEMENT,
    PUBLIC,
    PUBLISHED_KEYS,
    PUBLISHED_MASTER,
    PUBLISHED_PASSWORD,
    READER,
    Credentials,
    GivenCredentials,
    given_from,
)
from elec_meter.dlms.device import LogicalDevice
from elec_meter.dlms.errors import CredentialError, DlmsError, PeerError
from elec_meter.dlms.hdlc import HdlcLine, HdlcSession
from elec_meter.dlms.keyring import Keyring
from elec_meter.dlms.policy import LevelGate
from elec_meter.dlms.push import Push
from elec_meter.dlms.server import DlmsPort, DlmsServer, DlmsSession, DlmsTiming, WrapperSession
from elec_meter.dlms.view import Changes, OwnObject

__all__ = [
    "KEYED_CLIENTS",
    "MANAGEMENT",
    "PUBLIC",
    "PUBLISHED_KEYS",
    "PUBLISHED_MASTER",
    "PUBLISHED_PASSWORD",
    "READER",
    "ActionsOf",
    "Changes",
    "ClientRule",
    "CredentialError",
    "Credentials",
    "DirectoryChanges",
    "DlmsError",
    "DlmsPort",
    "DlmsServer",
    "DlmsSession",
    "DlmsTiming",
    "GivenCredentials",
    "HdlcLine",
    "HdlcSession",
    "InvocationCounters",
    "Keyring",
    "Keys",
    "LevelGate",
    "LogicalDevice",
    "OwnObject",
    "PeerError",
    "Protection",
    "Push",
    "WrapperSession",
    "given_from",
    "management_client",
    "public_client",
    "reader_client",
]
