"""The collector: verified telegrams of pulse units in, half-hours of pulses out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from .backfill import is_settled
    from .bearers.base import Bearer, ReceivedFrame
    from .bearers.ble import BleBearer, BleUnit
    from .bearers.device import BackOff
    from .bearers.mbus_master import MbusMaster
    from .bearers.replay import ReplayFile
    from .bearers.reports import (
        BearerFailed,
        BearerLost,
        BearerReport,
        BearerWorks,
        CommandAnswered,
        LogAnswered,
        LogUnanswered,
        ScanEnded,
        SlaveFound,
        UnitPaired,
        UnitUnreached,
    )
    from .bearers.virtual import VirtualRadio
    from .bearers.wmbus_stick import WmbusStick
    from .bracket import PulseStatus
    from .cli_installer import InstallerAnswers, install_at_terminal, install_by_script
    from .cli_steps import label_of, label_option, step_options
    from .collector import Collector
    from .desk import Desk, PairingPlace
    from .dial import DialReading
    from .energy import GasEnergy
    from .entries import JournalEntry, LogPlace, LogTick, Pairing, Stamp, TelegramKey
    from .errors import (
        BearerClosedError,
        BearerLostError,
        BearerSettingError,
        CollectorError,
        KeystoreError,
        OneWayBearerError,
        PairingError,
        PairingGivenUpError,
        ReplayFileError,
        StorageFailedError,
        UnitPairedError,
        UnitRecordError,
        UnitUnknownError,
    )
    from .events import (
        BadCrc,
        BadMac,
        CountReceived,
        CountRolledBack,
        Event,
        HeardAfterEnd,
        ImplausibleFlow,
        KeyMissing,
        LogRead,
        LogRefused,
        LowBattery,
        MalformedFrame,
        MalformedRecord,
        NoCount,
        NotRising,
        PlaintextDowngrade,
        Refusal,
        Replayed,
        StateReceived,
        TamperSeen,
        TelegramReceived,
        TooOld,
        UnitEnded,
        UnitReset,
        UnitSilent,
        UnknownUnit,
        UnsupportedFrame,
        WrongMedium,
    )
    from .fleet import Fleet, FleetUnit, UnitRecord
    from .gathering import Gathering
    from .ingest import Ingest
    from .journal import Journal, LastHeard
    from .keys import Keys
    from .keystore import Keystore, MemoryKeystore
    from .mbus_scripts import MbusSlave
    from .notes import Note
    from .pairing import PairingSession, PairingState
    from .particulars import (
        FLOW_MAX_L_H,
        MeterDetails,
        PairingOutcome,
        PairingPlan,
        lowest_free_channel,
    )
    from .readings import Readings, UnitState
    from .rows import PulseHalfHour, PulseRun
    from .upkeep import Upkeep

__all__ = [
    "FLOW_MAX_L_H",
    "BackOff",
    "BadCrc",
    "BadMac",
    "Bearer",
    "BearerClosedError",
    "BearerFailed",
    "BearerLost",
    "BearerLostError",
    "BearerReport",
    "BearerSettingError",
    "BearerWorks",
    "BleBearer",
    "BleUnit",
    "Collector",
    "CollectorError",
    "CommandAnswered",
    "CountReceived",
    "CountRolledBack",
    "Desk",
    "DialReading",
    "Event",
    "Fleet",
    "FleetUnit",
    "GasEnergy",
    "Gathering",
    "HeardAfterEnd",
    "ImplausibleFlow",
    "Ingest",
    "InstallerAnswers",
    "Journal",
    "JournalEntry",
    "KeyMissing",
    "Keys",
    "Keystore",
    "KeystoreError",
    "LastHeard",
    "LogAnswered",
    "LogPlace",
    "LogRead",
    "LogRefused",
    "LogTick",
    "LogUnanswered",
    "LowBattery",
    "MalformedFrame",
    "MalformedRecord",
    "MbusMaster",
    "MbusSlave",
    "MemoryKeystore",
    "MeterDetails",
    "NoCount",
    "NotRising",
    "Note",
    "OneWayBearerError",
    "Pairing",
    "PairingError",
    "PairingGivenUpError",
    "PairingOutcome",
    "PairingPlace",
    "PairingPlan",
    "PairingSession",
    "PairingState",
    "PlaintextDowngrade",
    "PulseHalfHour",
    "PulseRun",
    "PulseStatus",
    "Readings",
    "ReceivedFrame",
    "Refusal",
    "ReplayFile",
    "ReplayFileError",
    "Replayed",
    "ScanEnded",
    "SlaveFound",
    "Stamp",
    "StateReceived",
    "StorageFailedError",
    "TamperSeen",
    "TelegramKey",
    "TelegramReceived",
    "TooOld",
    "UnitEnded",
    "UnitPaired",
    "UnitPairedError",
    "UnitRecord",
    "UnitRecordError",
    "UnitReset",
    "UnitSilent",
    "UnitState",
    "UnitUnknownError",
    "UnitUnreached",
    "UnknownUnit",
    "UnsupportedFrame",
    "Upkeep",
    "VirtualRadio",
    "WmbusStick",
    "WrongMedium",
    "install_at_terminal",
    "install_by_script",
    "is_settled",
    "label_of",
    "label_option",
    "lowest_free_channel",
    "step_options",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "backfill": "is_settled",
        "bearers.base": "Bearer ReceivedFrame",
        "bearers.ble": "BleBearer BleUnit",
        "bearers.device": "BackOff",
        "bearers.mbus_master": "MbusMaster",
        "bearers.replay": "ReplayFile",
        "bearers.reports": "BearerFailed BearerLost BearerReport BearerWorks CommandAnswered"
        " LogAnswered LogUnanswered ScanEnded SlaveFound UnitPaired UnitUnreached",
        "bearers.virtual": "VirtualRadio",
        "bearers.wmbus_stick": "WmbusStick",
        "bracket": "PulseStatus",
        "cli_installer": "InstallerAnswers install_at_terminal install_by_script",
        "cli_steps": "label_of label_option step_options",
        "collector": "Collector",
        "desk": "Desk PairingPlace",
        "dial": "DialReading",
        "energy": "GasEnergy",
        "entries": "JournalEntry LogPlace LogTick Pairing Stamp TelegramKey",
        "errors": "BearerClosedError BearerLostError BearerSettingError CollectorError"
        " KeystoreError OneWayBearerError PairingError PairingGivenUpError ReplayFileError"
        " StorageFailedError UnitPairedError UnitRecordError UnitUnknownError",
        "events": "BadCrc BadMac CountReceived CountRolledBack Event HeardAfterEnd ImplausibleFlow"
        " KeyMissing LogRead LogRefused LowBattery MalformedFrame MalformedRecord NoCount NotRising"
        " PlaintextDowngrade Refusal Replayed StateReceived TamperSeen TelegramReceived TooOld"
        " UnitEnded UnitReset UnitSilent UnknownUnit UnsupportedFrame WrongMedium",
        "fleet": "Fleet FleetUnit UnitRecord",
        "gathering": "Gathering",
        "ingest": "Ingest",
        "journal": "Journal LastHeard",
        "keys": "Keys",
        "keystore": "Keystore MemoryKeystore",
        "mbus_scripts": "MbusSlave",
        "notes": "Note",
        "pairing": "PairingSession PairingState",
        "particulars": "FLOW_MAX_L_H MeterDetails PairingOutcome PairingPlan lowest_free_channel",
        "readings": "Readings UnitState",
        "rows": "PulseHalfHour PulseRun",
        "upkeep": "Upkeep",
    },
)
