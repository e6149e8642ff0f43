"""The directory: everything that can be read, by its OBIS code."""

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
from elec_meter.objects.limiter import Limiter
from elec_meter.objects.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.register import Digits, Register, ScalerUnit
from elec_meter.objects.sources import (
    NO_EVENTS,
    EventLog,
    EventRow,
    MeterClock,
    MeterFault,
    UnitFault,
    UnitReport,
)
from elec_meter.objects.units import Unit, exponent_between, in_unit

__all__ = [
    "NO_EVENTS",
    "CaptureObject",
    "Clock",
    "ClockStatus",
    "CosemObject",
    "Data",
    "DemandRegister",
    "DemandSource",
    "Digits",
    "Directory",
    "DisconnectControl",
    "EventLog",
    "EventRow",
    "ExtendedRegister",
    "Limiter",
    "MeterClock",
    "MeterFault",
    "NoSuchAttributeError",
    "ObjectsError",
    "ProfileGeneric",
    "ProfileSource",
    "Register",
    "Scalar",
    "ScalerUnit",
    "Unit",
    "UnitFault",
    "UnitMismatchError",
    "UnitReport",
    "UnknownObjectError",
    "build_directory",
    "exponent_between",
    "in_unit",
]
