"""The directory: everything that can be read, by its OBIS code."""

from elec_meter.objects.build import build_directory
from elec_meter.objects.classes.activity_calendar import ActivityCalendar
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.clock import Clock, ClockStatus
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.demand_register import DemandRegister, DemandSource
from elec_meter.objects.classes.disconnect_control import DisconnectControl
from elec_meter.objects.classes.entry import Actions, Entry, Form, Given, Parts
from elec_meter.objects.classes.errors import (
    NoSuchAttributeError,
    NoSuchEntryError,
    NoSuchMethodError,
    NotWritableError,
    ObjectsError,
    UnitMismatchError,
    UnknownObjectError,
    ValueNotTakenError,
)
from elec_meter.objects.classes.extended_register import ExtendedRegister
from elec_meter.objects.classes.limiter import EmergencyProfile, Limiter, LimiterActions, ScriptCall
from elec_meter.objects.classes.links import (
    HDLC_FIELD_MAX,
    HDLC_OCTET_MS,
    HDLC_WINDOW_RECEIVED,
    HDLC_WINDOW_SENT,
    INACTIVITY_S,
    HdlcSetup,
    OpticalPort,
    PortMode,
    ResponseTime,
    TcpSetup,
)
from elec_meter.objects.classes.mbus_client import MBusClient
from elec_meter.objects.classes.mbus_master_port import CommSpeed, MBusMasterPort
from elec_meter.objects.classes.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.classes.push_setup import (
    PUSH_SETUP,
    PUSHED_ROWS,
    MessageType,
    PushMember,
    PushSetup,
    SendDestination,
    TransportService,
    pushed_by,
)
from elec_meter.objects.classes.rate_scripts import rate_of_script
from elec_meter.objects.classes.register import Digits, Register, ScalerUnit
from elec_meter.objects.classes.register_activation import Assigned, Mask, RegisterActivation
from elec_meter.objects.classes.script_table import Script, ScriptTable
from elec_meter.objects.classes.single_action import Execution, SingleActionSchedule
from elec_meter.objects.classes.special_days import SpecialDaysTable
from elec_meter.objects.classes.timetables import CalendarField, DayAction, DayProfile, Rows
from elec_meter.objects.classes.units import Unit, exponent_between, in_unit
from elec_meter.objects.directory import Directory
from elec_meter.objects.every_channel import EVERY_CHANNEL
from elec_meter.objects.listing import (
    accumulating,
    object_row,
    object_rows,
    register_row,
    register_rows,
)
from elec_meter.objects.settings import CHANGE, Setting
from elec_meter.objects.sources import (
    EventLog,
    EventRow,
    MeterClock,
    MeterFault,
    Sources,
)
from elec_meter.objects.switching import PULSES, pulse_input_of
from elec_meter.tariff import SeasonProfile, SpecialDayEntry, WeekProfile
from elec_meter.unit_report import UnitFault, UnitReport

__all__ = [
    "CHANGE",
    "EVERY_CHANNEL",
    "HDLC_FIELD_MAX",
    "HDLC_OCTET_MS",
    "HDLC_WINDOW_RECEIVED",
    "HDLC_WINDOW_SENT",
    "INACTIVITY_S",
    "PULSES",
    "PUSHED_ROWS",
    "PUSH_SETUP",
    "Actions",
    "ActivityCalendar",
    "Assigned",
    "CalendarField",
    "CaptureObject",
    "Clock",
    "ClockStatus",
    "CommSpeed",
    "CosemObject",
    "Data",
    "DayAction",
    "DayProfile",
    "DemandRegister",
    "DemandSource",
    "Digits",
    "Directory",
    "DisconnectControl",
    "EmergencyProfile",
    "Entry",
    "EventLog",
    "EventRow",
    "Execution",
    "ExtendedRegister",
    "Form",
    "Given",
    "HdlcSetup",
    "Limiter",
    "LimiterActions",
    "MBusClient",
    "MBusMasterPort",
    "Mask",
    "MessageType",
    "MeterClock",
    "MeterFault",
    "NoSuchAttributeError",
    "NoSuchEntryError",
    "NoSuchMethodError",
    "NotWritableError",
    "ObjectsError",
    "OpticalPort",
    "Parts",
    "PortMode",
    "ProfileGeneric",
    "ProfileSource",
    "PushMember",
    "PushSetup",
    "Register",
    "RegisterActivation",
    "ResponseTime",
    "Rows",
    "Scalar",
    "ScalerUnit",
    "Script",
    "ScriptCall",
    "ScriptTable",
    "SeasonProfile",
    "SendDestination",
    "Setting",
    "SingleActionSchedule",
    "Sources",
    "SpecialDayEntry",
    "SpecialDaysTable",
    "TcpSetup",
    "TransportService",
    "Unit",
    "UnitFault",
    "UnitMismatchError",
    "UnitReport",
    "UnknownObjectError",
    "ValueNotTakenError",
    "WeekProfile",
    "accumulating",
    "build_directory",
    "exponent_between",
    "in_unit",
    "object_row",
    "object_rows",
    "pulse_input_of",
    "pushed_by",
    "rate_of_script",
    "register_row",
    "register_rows",
]
