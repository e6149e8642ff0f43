"""Any EN 13757 telegram or BTHome advert as a plain dictionary: `collector decode`.

Values are exact: an `int`, or a `decimal.Decimal` with the digits that the meter sent. A history
(compact profile) appears as one record per reading: what the register showed then, which is the
later reading less the increment between them, under the storage number one above the later one's,
with the time between the two in `spacing`. A format frame's records have no value.
"""

from decimal import Decimal
from typing import Any

from collector.heading import header_of
from collector.media import medium_name
from shared.crypto.block import BlockCipher
from shared.units import scaled
from shared.wire.advert import advert_key
from shared.wire.bthome import BTHOME_UUID, Advert, Measurement, open_advert
from shared.wire.compact import Formats
from shared.wire.errors import BadMac
from shared.wire.grid import COUNT_MODULUS
from shared.wire.oms import MANUFACTURER, Message, open_message
from shared.wire.profile import unrolled
from shared.wire.records import (
    CODING_MANUFACTURER,
    FUNCTIONS,
    Record,
    cut_heads,
    parse_head,
    parse_records,
)
from shared.wire.values import date_text, integer, is_real, real, text
from shared.wire.vif import Meaning, meaning

Value = int | Decimal | str | None


def decode_telegram(data: bytes, key: bytes | None = None) -> dict[str, Any]:
    """Return what a telegram says.

    Args:
        data: one whole frame: radio (format A, B or with its CRCs taken off) or wired (long).
        key: the meter's 16-byte key, None if there is none.

    Raises:
        WireError: if it is damaged, not authentic, enciphered without a key given, or not
            understood. Nothing is ever returned in part.
    """
    return _told(open_message(_block(key), header_of(data), key))


def decode_advert(service_data: bytes, address: bytes, key: bytes | None = None) -> dict[str, Any]:
    """Return what a BTHome advert says.

    Args:
        service_data: from the information byte on; the UUID D2 FC before it may stay.
        address: the sender's Bluetooth address, six bytes, first byte first.
        key: 16 bytes: the advert's own, or the unit's from which that is derived; None if there
            is none.

    Raises:
        WireError: as `decode_telegram`.
    """
    advert = _opened(service_data.removeprefix(BTHOME_UUID), address, key)
    return {
        "manufacturer": None,
        "id": address.hex(":").upper(),
        "version": 2,
        "medium": None,
        "security": advert.security,
        "status": None,
        "records": [_measured(measurement) for measurement in advert.measurements],
    }


def _opened(data: bytes, address: bytes, key: bytes | None) -> Advert:
    aes = _block(key)
    if key is not None:
        try:
            return open_advert(aes, data, address, advert_key(aes, key, address))
        except BadMac:
            pass  # then it is the advert's own
    return open_advert(aes, data, address, key)


def _block(key: bytes | None) -> type[BlockCipher]:
    if key is None:
        return BlockCipher
    from shared.crypto.backend_cryptography import AesBlock

    return AesBlock


def _told(message: Message) -> dict[str, Any]:
    header = message.header
    own = message.manufacturer == MANUFACTURER
    content = message.records
    if header.is_compact:
        content = Formats().expand(content)
    if header.is_format:
        heads = cut_heads(Formats().learn_format(content))
        shown = [_recorded(parse_head(head), own=own, has_value=False) for head, _ in heads]
    else:
        records = unrolled(parse_records(content), COUNT_MODULUS if own else None)
        shown = [_recorded(record, own=own) for record in records]
    named = any(header.address)
    return {
        "manufacturer": message.manufacturer if named else None,
        "id": message.serial if named else None,
        "version": message.version if named else None,
        "medium": medium_name(message.medium) if named else None,
        "security": message.security,
        "status": message.status,
        "records": shown,
    }


def _recorded(record: Record, *, own: bool, has_value: bool = True) -> dict[str, Any]:
    if record.coding == CODING_MANUFACTURER:
        told = Meaning("manufacturer_data")
        value: Value = record.data.hex()
    else:
        told = meaning(record.vif)
        value = _value(record, told, own=own) if has_value and not told.error else None
    shown: dict[str, Any] = {
        "quantity": told.quantity,
        "value": value,
        "unit": record.text if record.text is not None else told.unit or None,
        "storage": record.storage,
        "tariff": record.tariff,
        "function": FUNCTIONS[record.function],
    }
    if record.subunit:
        shown["subunit"] = record.subunit
    if told.qualifiers:
        shown["qualifiers"] = told.qualifiers
    if told.profile is not None:
        shown["qualifiers"] = [*told.qualifiers, "profile"]
    if told.error is not None:
        shown["error"] = told.error
    if record.spacing is not None:
        shown["spacing"] = "{} {}".format(*record.spacing)
    return shown


def _value(record: Record, told: Meaning, *, own: bool) -> Value:
    if told.profile is not None:
        return record.data.hex()
    if told.is_date:
        return date_text(record)
    if is_real(record):
        return _real(record, told)
    words = text(record)
    if words is not None:
        return words
    if own and told.quantity == "count":
        return int.from_bytes(record.data, "little")  # cyclic: every number is a count
    number = integer(record, told.unsigned)
    return None if number is None else scaled(number * told.factor, told.exponent)


def _real(record: Record, told: Meaning) -> Value:
    parts = real(record.data)
    if parts is None:
        return None
    mantissa, power = parts
    # m * 2^-p = m * 5^p * 10^-p: the single's own digits, all of them
    digits: int = mantissa * told.factor * (5**-power if power < 0 else 2**power)
    exponent = told.exponent + min(power, 0)
    while exponent < 0 and digits % 10 == 0:
        digits //= 10
        exponent += 1
    return scaled(digits, exponent)


def _measured(measurement: Measurement) -> dict[str, Any]:
    value = measurement.value
    return {
        "quantity": measurement.quantity,
        "value": value if isinstance(value, str) else scaled(value, measurement.exponent),
        "unit": measurement.unit or None,
        "storage": 0,
        "tariff": 0,
        "function": FUNCTIONS[0],
    }
