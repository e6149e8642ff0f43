"""Reads adverts with bthome-ble, which nobody here wrote; run on its own, JSON in and JSON out.

Input: a list of receivers, each with an `address`, a `key` and what it hears in order: `heard`, a
list of (seconds, advertising data). Output: for each what it shows after each advert: numbers and
yes-or-no values by name, which stay until they are replaced, and the numbers' units.
"""

import json
import logging
import sys

from bluetooth_data_tools import parse_advertisement_data
from bthome_ble import BTHomeBluetoothDeviceData
from habluetooth import BluetoothServiceInfoBleak


def receiver(address: str, key: str, heard: list[tuple[float, str]]) -> list[dict]:
    """What one receiver shows, advert by advert."""
    device = BTHomeBluetoothDeviceData(bindkey=bytes.fromhex(key))
    return [shown(device, address, seconds, bytes.fromhex(data)) for seconds, data in heard]


def shown(device: BTHomeBluetoothDeviceData, address: str, seconds: float, data: bytes) -> dict:
    """What the receiver shows once it has heard an advert."""
    parsed = parse_advertisement_data((data,))
    update = device.update(
        BluetoothServiceInfoBleak(
            address,
            address,
            -60,
            parsed.manufacturer_data,
            parsed.service_data,
            parsed.service_uuids,
            "",
            None,
            None,
            False,
            seconds,
            None,
            data,
        )
    )
    return {
        "numbers": _named(update.entity_values),
        "flags": _named(update.binary_entity_values),
        "units": {
            key.key: description.native_unit_of_measurement
            for key, description in update.entity_descriptions.items()
        },
        "sleepy": device.sleepy_device,
    }


def _named(values: dict) -> dict:
    found = {key.key: value.native_value for key, value in values.items()}
    found.pop("signal_strength", None)  # not from the advert
    return found


def main() -> None:
    """Serve one list of receivers."""
    logging.disable()
    receivers = json.load(sys.stdin)
    told = [receiver(each["address"], each["key"], each["heard"]) for each in receivers]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
