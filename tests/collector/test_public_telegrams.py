"""Public telegrams of other makers' meters, in every frame format, and those that are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collector.decode import decode_telegram
from collector.heading import is_wired
from shared.wire.errors import KeyNeeded, Unsupported, WireError
from shared.wire.wmbus import frame_a, frame_b

LINES = (Path(__file__).parent / "public_telegrams.txt").read_text(encoding="ascii").splitlines()
FRAME_B_MAX = 252


@dataclass
class Telegram:
    """A telegram, and what is known of it."""

    meter: str
    security: str = ""
    key: bytes | None = None
    data: bytes = b""
    values: dict[tuple[str, int, int, int], tuple[str, str]] = field(default_factory=dict)


def telegrams() -> list[Telegram]:
    """Those of the file."""
    found: list[Telegram] = []
    for line in LINES:
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "meter":
            found.append(Telegram(line.removeprefix("meter ")))
        elif words[0] == "security":
            found[-1].security = words[1]
            found[-1].key = bytes.fromhex(words[2]) if len(words) > 2 else None
        elif not found[-1].data:
            found[-1].data = bytes.fromhex(line)
        else:
            quantity, storage, tariff, subunit, value, unit = words
            place = (quantity, int(storage), int(tariff), int(subunit))
            found[-1].values[place] = (value, unit)
    return found


TELEGRAMS = telegrams()


def forms(data: bytes) -> list[bytes]:
    """A radio telegram without CRCs, in format A and in format B where it fits; a wired one."""
    if is_wired(data):
        return [data]
    return [data, frame_a(data), *([frame_b(data)] if len(data) <= FRAME_B_MAX else [])]


def shown(value: Any) -> str:
    """A value as the file writes it."""
    if value is None:
        return "-"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


@pytest.mark.parametrize("telegram", TELEGRAMS, ids=[each.meter for each in TELEGRAMS])
def test_values_units_and_places(telegram: Telegram) -> None:
    """Meter, security, values with their digits, units, storages, tariffs and subunits."""
    assert len(telegram.values) > 0
    first = decode_telegram(telegram.data, telegram.key)
    assert telegram.meter == "{manufacturer} {id} {medium}".format(**first)
    assert telegram.security == first["security"]
    found: dict[tuple[str, int, int, int], tuple[str, str]] = {}
    for record in first["records"]:
        place = (
            record["quantity"],
            record["storage"],
            record["tariff"],
            record.get("subunit", 0),
        )
        found.setdefault(place, (shown(record["value"]), record["unit"] or "-"))
    assert telegram.values == {place: found.get(place) for place in telegram.values}
    for form in forms(telegram.data):
        assert first == decode_telegram(form, telegram.key)


def test_there_are_many() -> None:
    """A broad set of makers and media."""
    assert len(TELEGRAMS) >= 35
    assert len({each.meter[:3] for each in TELEGRAMS}) >= 20


# From the same public tests: what cannot be read, and why.
REFUSED = [
    # Elster, Landis+Gyr and Flonidan gas meters of the Dutch network: security mode 9
    (
        "264493154433221150037A79330129060000028E0D6A47FF4F26DF16D17F1BF94C0A22359DB80E",
        Unsupported,
        "security mode 9 (AES-GCM) is not spoken here",
    ),
    (
        "2644E2302143658750037AE623012906000009844C61E7C0B85EDBE2D6769DC348EE1391DF1404",
        Unsupported,
        "security mode 9 (AES-GCM) is not spoken here",
    ),
    # Techem, Izar and Apator: layers of their own
    (
        "2F446850313233347462A2069F255900B029310000000306060906030609070606050509050505050407040605070500",
        Unsupported,
        "CI field A2 is not a meter's data",
    ),
    (
        "19442423850798160018A2410100133EBBD44081053F243A82A3",
        Unsupported,
        "CI field A2 is not a meter's data",
    ),
    (
        (
            "734414867CC30B0003030D58A00EDF0700DC41343CEA390306FF0A0D44EADF07000DDF07000DDF07000DDF07000E44F9"
            "DF07000EDF07000EDF07000EDF07000E931EDF07000DDF07000DDF07000DDF0700035A4500000000374F0B20000000000"
            "000243412B31C07050C12280000000000002C002302062F19080F2F000000000000DCF5"
        ),
        Unsupported,
        "CI field A0 is not a meter's data",
    ),
    # B Meters: a mode that no standard has
    (
        (
            "4644B4097172737405077AA50006101115F78184AB0F1D1E200000005904103103208047004A4800E73C00193E00453F"
            "003E4000E64000E74100F442000144001545005B460000"
        ),
        Unsupported,
        "security mode 16 is not spoken here",
    ),
    # Unismart gas and Kamstrup water: enciphered, and no key given
    (
        (
            "6044B8059430040001037A1D005085E2B670BCF1A5C87E0C1A51DA18924EF984613DA2A9CD39D8F4C7208326C76D42DB"
            "EADF80D574192B71BD7C4F56A7F1513151768A9DB804883B28CB085CA2D0F7438C361CB9E2734712ED9BFBB2A14EF552"
            "08"
        ),
        KeyNeeded,
        "the message is enciphered (mode 5) and no key was given",
    ),
    (
        "2A442D2C998734761B168D2091D37CAC21E1D68CDAFFCD3DC452BD802913FF7B1706CA9E355D6C2701CC24",
        KeyNeeded,
        "the link layer is enciphered and no key was given",
    ),
    # A fragment of a longer message (EN 13757-7, 6.3): more will follow
    (
        "1444931578563412330390024100" + "7a01000000" + "2f2f",
        Unsupported,
        "the message comes in fragments",
    ),
]


@pytest.mark.parametrize(("digits", "kind", "said"), REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    digits: str, kind: type[WireError], said: str
) -> None:
    """The type says whose fault it is, the sentence what it is; nothing is read in part."""
    with pytest.raises(kind) as caught:
        decode_telegram(bytes.fromhex(digits))
    assert said == str(caught.value)
