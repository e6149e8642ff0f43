"""Which services must have been agreed on for which request (IEC 62056-5-3, 7.3.1)."""

from __future__ import annotations

from typing import Final

from elec_meter.dlms.action import (
    ActionBlock,
    ActionFirstBlock,
    ActionList,
    ActionListFirstBlock,
    ActionNext,
    ActionNormal,
)
from elec_meter.dlms.apdus import Apdu
from elec_meter.dlms.errors import NotSupportedError
from elec_meter.dlms.get import GetList, GetNext, GetNormal
from elec_meter.dlms.initiate import Conformance
from elec_meter.dlms.services import Attribute
from elec_meter.dlms.setting import (
    SetBlock,
    SetFirstBlock,
    SetList,
    SetListFirstBlock,
    SetNormal,
)

_LIST: Final = Conformance.MULTIPLE_REFERENCES
_NEEDED: Final[tuple[tuple[tuple[type, ...], Conformance], ...]] = (
    ((GetNormal, GetNext), Conformance.GET),
    ((GetList,), Conformance.GET | _LIST),
    ((SetNormal,), Conformance.SET),
    ((SetFirstBlock, SetBlock), Conformance.SET | Conformance.BLOCKS_WITH_SET),
    ((SetList,), Conformance.SET | _LIST),
    ((SetListFirstBlock,), Conformance.SET | Conformance.BLOCKS_WITH_SET | _LIST),
    ((ActionNormal, ActionNext), Conformance.ACTION),
    ((ActionFirstBlock, ActionBlock), Conformance.ACTION | Conformance.BLOCKS_WITH_ACTION),
    ((ActionList,), Conformance.ACTION | _LIST),
    ((ActionListFirstBlock,), Conformance.ACTION | Conformance.BLOCKS_WITH_ACTION | _LIST),
)


def needed_for(apdu: Apdu) -> Conformance:
    """The services that must have been agreed on for a request.

    Raises:
        NotSupportedError: it is no request.
    """
    needed = next((services for kinds, services in _NEEDED if isinstance(apdu, kinds)), None)
    if needed is None:
        raise NotSupportedError(f"a {type(apdu).__name__} is nothing for a server")
    if any(each.selection is not None for each in _attributes(apdu)):
        needed |= Conformance.SELECTIVE_ACCESS
    return needed


def _attributes(apdu: Apdu) -> tuple[Attribute, ...]:
    if isinstance(apdu, GetNormal | SetNormal | SetFirstBlock):
        return (apdu.attribute,)
    if isinstance(apdu, GetList | SetList | SetListFirstBlock):
        return apdu.attributes
    return ()
