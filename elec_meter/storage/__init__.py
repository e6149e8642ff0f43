"""The data directory, and the files that are read beside it."""

from .configfile import read_config, read_config_file
from .gas_series import GasSeries, read_gas_day_json, read_gas_series
from .secret_file import DLMS_CLIENTS_NAME, DLMS_KEYS_NAME, SecretFile
from .series import LoadEntry, LoadOption, LoadSeries, read_load_series
from .storage import DATABASE_NAME, Backlog, ConfigVersion, Event, Storage
from .tariffs import read_reference_tariff, reference_tariff_names

__all__ = [
    "DATABASE_NAME",
    "DLMS_CLIENTS_NAME",
    "DLMS_KEYS_NAME",
    "Backlog",
    "ConfigVersion",
    "Event",
    "GasSeries",
    "LoadEntry",
    "LoadOption",
    "LoadSeries",
    "SecretFile",
    "Storage",
    "read_config",
    "read_config_file",
    "read_gas_day_json",
    "read_gas_series",
    "read_load_series",
    "read_reference_tariff",
    "reference_tariff_names",
]
