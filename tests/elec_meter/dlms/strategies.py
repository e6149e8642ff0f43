"""Random COSEM data and APDUs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from elec_meter.dlms.data import CompactArray, CosemData, TypeDescription
from elec_meter.dlms.services import Attribute, Block, Member, Selection
from elec_meter.dlms.tags import EMPTY, SIZES, Tag
from shared.obis import Obis

BOUNDS = {
    Tag.INT8: (-(2**7), 2**7 - 1),
    Tag.BCD: (-(2**7), 2**7 - 1),
    Tag.INT16: (-(2**15), 2**15 - 1),
    Tag.INT32: (-(2**31), 2**31 - 1),
    Tag.INT64: (-(2**63), 2**63 - 1),
    Tag.UINT8: (0, 2**8 - 1),
    Tag.ENUM: (0, 2**8 - 1),
    Tag.UINT16: (0, 2**16 - 1),
    Tag.UINT32: (0, 2**32 - 1),
    Tag.UINT64: (0, 2**64 - 1),
}
SIMPLE = sorted(set(Tag) - {Tag.ARRAY, Tag.STRUCTURE, Tag.COMPACT_ARRAY})


def values(tag: Tag) -> st.SearchStrategy[Any]:
    """Values of a simple type."""
    if tag in BOUNDS:
        return st.integers(*BOUNDS[tag])
    if tag in EMPTY:
        return st.none()
    if tag in SIZES:
        return st.binary(min_size=SIZES[tag], max_size=SIZES[tag])
    return {
        Tag.BOOLEAN: st.booleans(),
        Tag.BIT_STRING: st.text("01", max_size=40),
        Tag.OCTETS: st.binary(max_size=300),
        Tag.VISIBLE_STRING: st.text(st.characters(max_codepoint=255), max_size=20),
        Tag.UTF8_STRING: st.text(max_size=20),
        Tag.FLOAT32: st.floats(width=32, allow_nan=False),
        Tag.FLOAT64: st.floats(allow_nan=False),
    }[tag]


def of_type(tag: Tag) -> st.SearchStrategy[CosemData]:
    """Data of a simple type."""
    return values(tag).map(lambda value: CosemData(tag, value))


def described(description: TypeDescription) -> st.SearchStrategy[CosemData]:
    """Data of a described type."""
    tag, members, size = description
    if tag is Tag.ARRAY:
        members *= size
    elif tag is not Tag.STRUCTURE:
        return of_type(tag)
    return st.tuples(*map(described, members)).map(lambda parts: CosemData(tag, parts))


simple = st.sampled_from(SIMPLE).flatmap(of_type)
_solid = st.sampled_from(sorted(set(SIMPLE) - EMPTY)).map(TypeDescription)
descriptions = st.recursive(
    _solid,
    lambda inner: (
        st.builds(TypeDescription, st.just(Tag.ARRAY), st.tuples(inner), st.integers(1, 3))
        | st.builds(
            TypeDescription,
            st.just(Tag.STRUCTURE),
            st.lists(inner, min_size=1, max_size=4).map(tuple),
            st.just(0),
        )
    ),
    max_leaves=6,
)
compact_arrays = descriptions.flatmap(
    lambda description: st.builds(
        CosemData,
        st.just(Tag.COMPACT_ARRAY),
        st.builds(
            CompactArray,
            st.just(description),
            st.lists(described(description), max_size=4).map(tuple),
        ),
    )
)
data = st.recursive(
    simple | compact_arrays,
    lambda inner: st.builds(
        CosemData,
        st.sampled_from([Tag.ARRAY, Tag.STRUCTURE]),
        st.lists(inner, max_size=5).map(tuple),
    ),
    max_leaves=12,
)

codes = st.binary(min_size=6, max_size=6).map(Obis.from_bytes)
members = st.builds(Member, st.integers(0, 0xFFFF), codes, st.integers(-128, 127))
selections = st.builds(Selection, st.integers(0, 255), data)
attributes = st.builds(Attribute, members, st.none() | selections)
numbers = st.integers(0, 0xFFFF_FFFF)
blocks = st.builds(Block, st.booleans(), numbers, st.binary(max_size=300))
invokes = st.integers(0, 255)
