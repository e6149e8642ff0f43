"""The directory: everything that can be read, by its OBIS code."""

from elec_meter.objects.activity_calendar import (
    ActivityCalendar,
    DayAction,
    DayProfile,
    SeasonProfile,
    Timetable,
    WeekProfile,
)
from elec_meter.objects.base import CosemObject, Scalar
from elec_meter.objects.build import build_directory
from elec_meter.objects.clock import Clock, ClockStatus
from elec_meter.objects.data import Data
from elec_meter.objects.demand_register import DemandRegister, DemandSource
from elec_meter.objects.directory import Directory
from elec_meter.objects.disconnect_control import DisconnectControl
from elec_meter.objects.errors import (
    NoSuchAttributeError,
    ObjectsError,
    UnitMismatchError,
    UnknownObjectError,
)
from elec_meter.objects.extended_register import ExtendedRegister
from elec_meter.objects.limiter import EmergencyProfile, Limiter, LimiterActions, ScriptCall
from elec_meter.objects.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.register import Digits, Register, ScalerUnit
from elec_meter.objects.register_activation import Assigned, Mask, RegisterActivation
from elec_meter.objects.single_action import Execution, SingleActionSchedule
from elec_meter.objects.sources import (
    NO_EVENTS,
    EventLog,
    EventRow,
    MeterClock,
    MeterFault,
    UnitFault,
    UnitReport,
)
from elec_meter.objects.special_days import SpecialDayEntry, SpecialDaysTable
from elec_meter.objects.units import Unit, exponent_between, in_unit

__all__ = [
    "NO_EVENTS",
    "ActivityCalendar",
    "Assigned",
    "CaptureObject",
    "Clock",
    "ClockStatus",
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
    "EventLog",
    "EventRow",
    "Execution",
    "ExtendedRegister",
    "Limiter",
    "LimiterActions",
    "Mask",
    "MeterClock",
    "MeterFault",
    "NoSuchAttributeError",
    "ObjectsError",
    "ProfileGeneric",
    "ProfileSource",
    "Register",
    "RegisterActivation",
    "Scalar",
    "ScalerUnit",
    "ScriptCall",
    "SeasonProfile",
    "SingleActionSchedule",
    "SpecialDayEntry",
    "SpecialDaysTable",
    "Timetable",
    "Unit",
    "UnitFault",
    "UnitMismatchError",
    "UnitReport",
    "UnknownObjectError",
    "WeekProfile",
    "build_directory",
    "exponent_between",
    "in_unit",
]
