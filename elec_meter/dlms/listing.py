"""The objects that DLMS itself has: the association, what there is, security, counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from elec_meter.dlms.acse import Mechanism
from elec_meter.dlms.action import ActionOutcome
from elec_meter.dlms.compact import COMPACT_PROFILE, LOAD_PROFILE, CompactProfile
from elec_meter.dlms.cursor import encode_length
from elec_meter.dlms.data import (
    NULL,
    CosemData,
    array,
    encode_data,
    enum,
    int8,
    octets,
    structure,
    uint8,
    uint16,
    uint32,
)
from elec_meter.dlms.device import SERVER_SAP, LogicalDevice
from elec_meter.dlms.initiate import VERSION
from elec_meter.dlms.opening import Agreed
from elec_meter.dlms.rendering import capture_objects, render
from elec_meter.dlms.security import SecuritySetup
from elec_meter.dlms.selection import row_selection
from elec_meter.dlms.services import ActionResult
from elec_meter.dlms.states import State
from elec_meter.dlms.tags import Tag
from elec_meter.dlms.view import Listed, OwnObject, View
from elec_meter.objects import Directory
from shared.obis import Obis

CURRENT_ASSOCIATION: Final = Obis.parse("0-0:40.0.0")
FRAME_COUNTER: Final = Obis.parse("0-0:43.1.0")
REPLY_TO_HLS: Final = 1
ASSOCIATION_CLASS: Final = 15

_SAPS: Final = Obis.parse("0-0:41.0.0")
_SECURITY: Final = Obis.parse("0-0:43.0.0")
_DEVICE_NAME: Final = "0-0:42.0.0"
_DATA, _PROFILE, _SAP_ASSIGNMENT = 1, 7, 17
_NAMES: Final = bytes.fromhex("60857405 08")
_CONTEXT_BRANCH, _MECHANISM_BRANCH = 1, 2
_CONFORMANCE_BITS: Final = 24


def own_objects(
    device: LogicalDevice, agreed: Agreed, state: Callable[[], State], view: Callable[[], View]
) -> dict[Obis, OwnObject]:
    """What one association has beside the directory.

    Args:
        device: the meter.
        agreed: what the client and the meter agreed on.
        state: gives where the association is.
        view: gives the association's view, of which these objects are a part.
    """
    own = {
        CURRENT_ASSOCIATION: _association(device, agreed, state, view),
        _SAPS: OwnObject(_SAP_ASSIGNMENT, {2: lambda: _saps(device.directory)}),
        FRAME_COUNTER: OwnObject(_DATA, {2: lambda: encode_data(uint32(_heard(device, agreed)))}),
    }
    if agreed.rule.keys is not None:
        own[_SECURITY] = SecuritySetup(device, agreed).object()
    own |= device.further(agreed.rule.level)
    if LOAD_PROFILE in device.directory:
        own[COMPACT_PROFILE] = _compact_profile(device.directory)
    return own


def _association(
    device: LogicalDevice, agreed: Agreed, state: Callable[[], State], view: Callable[[], View]
) -> OwnObject:
    context = _NAMES + bytes((_CONTEXT_BRANCH, agreed.context))
    mechanism = _NAMES + bytes((_MECHANISM_BRANCH, agreed.mechanism))
    negotiated = structure(
        CosemData(Tag.BIT_STRING, f"{agreed.conformance:0{_CONFORMANCE_BITS}b}"),
        uint16(device.receive_max),
        uint16(agreed.send_max),
        uint8(VERSION),
        int8(0),
        octets(b""),
    )
    objects = _ObjectList(device.directory, view)
    readers = {
        2: objects.encoded,
        3: lambda: encode_data(structure(int8(agreed.rule.sap), uint16(SERVER_SAP))),
        4: lambda: encode_data(octets(context)),
        5: lambda: encode_data(negotiated),
        6: lambda: encode_data(octets(mechanism)),
        8: lambda: encode_data(enum(state().value)),
        9: lambda: encode_data(octets(_SECURITY.to_bytes())),
    }
    if agreed.mechanism is not Mechanism.HIGH_GMAC:
        return OwnObject(ASSOCIATION_CLASS, readers)
    return OwnObject(ASSOCIATION_CLASS, readers, {REPLY_TO_HLS: _proved_already})


def _proved_already(_: CosemData | None) -> ActionOutcome:
    return ActionOutcome(ActionResult.READ_WRITE_DENIED)


def _compact_profile(directory: Directory) -> OwnObject:
    profile = CompactProfile(directory)

    def of_load(number: int) -> Callable[[], bytes]:
        return lambda: render(profile.load, number, directory.now())

    return OwnObject(
        _PROFILE,
        {
            3: lambda: capture_objects(profile.columns),
            **{number: of_load(number) for number in (4, 5, 6, 7, 8)},
        },
        buffer=lambda selection: profile.buffer(row_selection(selection, profile.columns)),
    )


class _ObjectList:
    """The list of objects as one association has it, kept until the directory has others.

    Args:
        directory: what it lists.
        view: gives the association's view of it.
    """

    def __init__(self, directory: Directory, view: Callable[[], View]) -> None:
        self._directory = directory
        self._view = view
        self._listed: Directory | None = None
        self._encoded = b""

    def encoded(self) -> bytes:
        """Attribute 2 of the association."""
        content = self._directory.content
        if self._listed is not content:
            self._encoded, self._listed = _object_list(self._view()), content
        return self._encoded


def _object_list(view: View) -> bytes:
    objects = [encode_data(_listed(each)) for each in view.objects()]
    return bytes((Tag.ARRAY,)) + encode_length(len(objects)) + b"".join(objects)


def _listed(each: Listed) -> CosemData:
    attributes = (structure(int8(number), enum(mode), NULL) for number, mode in each.attributes)
    methods = (structure(int8(number), enum(may_invoke)) for number, may_invoke in each.methods)
    return structure(
        uint16(each.class_id),
        uint8(each.version),
        octets(each.obis.to_bytes()),
        structure(array(*attributes), array(*methods)),
    )


def _saps(directory: Directory) -> bytes:
    name = str(directory[_DEVICE_NAME].value)
    return encode_data(array(structure(uint16(SERVER_SAP), octets(name.encode()))))


def _heard(device: LogicalDevice, agreed: Agreed) -> int:
    """Above this the client's counter is taken; whoever has no key asks on behalf of all of them.

    A title, which the public may give too, tells whose counter it is; otherwise it is anybody's.
    """
    rules = device.rules() if agreed.rule.keys is None else (agreed.rule,)
    keys = [rule.keys for rule in rules if rule.keys is not None]
    counters, title = device.counters, agreed.cipherer.title
    if title:
        return max([1, *(counters.lowest(each, title) for each in keys)]) - 1
    return max((counters.highest_heard(each) for each in keys), default=0)
