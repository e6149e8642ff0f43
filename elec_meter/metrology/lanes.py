"""Compiled: the exact sums of a stretch of samples, sixteen at a time where they have 16 bits.

Left to itself the compiler widens each sample to 64 bits before it multiplies. What is written here
in its own language are products of 16 bits, added up in pairs in 32 bits, for which most processors
have one instruction. One factor of each product goes by its high and its low byte: that leaves room
for `STRETCH_MAX` samples. Nothing in it is of one kind of processor, and the sums are the same on
all.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, overload

from elec_meter.metrology.jit import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Counts = NDArray[np.int16] | NDArray[np.int32]
    # int64 when compiled; without the JIT, numpy.int64 or int as it comes.
    Int = Any
    Vector = Any

LANES = 16
# A pair of products adds less than 2 x 2^15 x 2^8 to a sum of 32 bits, once every 16 samples.
STRETCH_MAX = LANES * ((1 << 31) // (1 << 24) - 1)
# Samples of 512 bytes: processors look ahead only within a page, and a page is soon summed.
_AHEAD = 256


def sums(v: Counts, i: Counts, start: Int, end: Int, lag: Int) -> tuple[Int, ...]:
    """Of samples start..end-1, exactly: V, I, V^2, I^2, V x I, V of `lag` samples ago x I.

    The last one is the largest square among them. Samples of 16 bits are read from LANES - 1 before
    the stretch on, and there are at most STRETCH_MAX of them. Slices, not offsets, let the loop
    vectorise.
    """
    a, b, c = v[start:end], i[start:end], v[start - lag : end - lag]
    sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_qi = peak = np.int64(0)
    for j in range(end - start):
        x, y, z = np.int64(a[j]), np.int64(b[j]), np.int64(c[j])
        sum_v += x
        sum_i += y
        sum_vv += x * x
        sum_ii += y * y
        sum_vi += x * y
        sum_qi += z * y
        larger = max(x * x, y * y)
        peak = max(peak, larger)
    return sum_v, sum_i, sum_vv, sum_ii, sum_vi, sum_qi, peak


_INLINE: Any = OPTIONS | {"forceinline": True}


# Not strict: what is annotated are types here, and values in what is returned.
@overload(sums, jit_options=_INLINE, strict=False)
def _compiled_sums(
    v: Any,
    i: Any,  # noqa: ARG001  # numba asks for the names of `sums`
    start: Any,  # noqa: ARG001  # as above
    end: Any,  # noqa: ARG001  # as above
    lag: Any,  # noqa: ARG001  # as above
) -> Callable[..., Any]:
    """For counts of 16 bits by lanes, for wider ones as `sums` says."""
    if v.dtype != types.int16:
        return sums

    def by_lanes(v: Any, i: Any, start: Any, end: Any, lag: Any) -> Any:
        return _lane_sums(v, i, start, end, lag)

    return by_lanes


_BIT, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (1, 16, 32, 64))
_SAMPLES, _PRODUCTS = ir.VectorType(_I16, LANES), ir.VectorType(_I32, LANES)
_PAIRS, _TOTALS = ir.VectorType(_I32, LANES // 2), ir.VectorType(_I64, LANES // 2)


def _all(kind: ir.VectorType, value: int) -> ir.Constant:
    return ir.Constant(kind, [value] * kind.count)


_EVEN, _ODD = (ir.Constant(_PAIRS, list(range(first, LANES, 2))) for first in (0, 1))
_STEP, _LOW_BYTE, _ONES = ir.Constant(_I64, LANES), _all(_SAMPLES, 255), _all(_SAMPLES, 1)
# Of V and I; by the high and by the low byte of V^2, I^2, V x I and delayed V x I; and the peak.
_SUMS = 10
_NONE = [_all(_PAIRS, 0)] * _SUMS + [_all(_SAMPLES, 0)]


def _typed_lane_sums(_: Any, v: Any, i: Any, start: Any, end: Any, lag: Any) -> Any:
    """`sums` of counts of 16 bits."""
    result: Any = types.UniTuple(types.int64, 7)  # type: ignore[no-untyped-call]  # of numba's, which says no type

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        arrays = [context.make_array(signature.args[k])(context, builder, given[k]) for k in (0, 1)]
        code = _Code(builder, arrays[0].data, arrays[1].data, given[4])
        return context.make_tuple(builder, result, code.sums(given[2], given[3]))

    return result(v, i, start, end, lag), generate


_lane_sums: Any = intrinsic(_typed_lane_sums)


class _Code:
    """Writes the instructions; each value here is a name for what runs later."""

    def __init__(self, builder: Any, voltage: Vector, current: Vector, lag: Vector) -> None:
        self._builder = builder
        self._voltage, self._current, self._lag = voltage, current, lag

    def sums(self, start: Vector, end: Vector) -> list[Vector]:
        """As `sums` has them: whole vectors in a loop, then the last samples, the others as 0."""
        b = self._builder
        rest = b.and_(b.sub(end, start), ir.Constant(_I64, LANES - 1))
        whole = b.sub(end, rest)
        before, loop, after = b.block, b.append_basic_block(), b.append_basic_block()
        b.cbranch(b.icmp_signed("<", start, whole), loop, after)

        b.position_at_end(loop)
        at, so_far = b.phi(_I64), [b.phi(none.type) for none in _NONE]
        for array in (self._voltage, self._current):
            self._fetch(array, at)
        added = self._added(so_far, at)
        then = b.add(at, _STEP)
        for value, first, again in zip([at, *so_far], [start, *_NONE], [then, *added], strict=True):
            value.add_incoming(first, before)
            value.add_incoming(again, loop)
        b.cbranch(b.icmp_signed("<", then, whole), loop, after)

        b.position_at_end(after)
        so_far = [b.phi(none.type) for none in _NONE]
        for value, first, again in zip(so_far, _NONE, added, strict=True):
            value.add_incoming(first, before)
            value.add_incoming(again, loop)
        total = self._added(so_far, b.sub(end, _STEP), self._is_among_last(rest))
        return self._concluded(total)

    def _is_among_last(self, count: Vector) -> Vector:
        """All bits set in the last `count` lanes, none in the others."""
        b = self._builder
        undefined = ir.Constant(_SAMPLES, ir.Undefined)
        first = b.insert_element(undefined, b.trunc(count, _I16), ir.Constant(_I32, 0))
        counts = b.shuffle_vector(first, undefined, _all(_PRODUCTS, 0))
        from_end = ir.Constant(_SAMPLES, list(range(LANES - 1, -1, -1)))
        return b.sext(b.icmp_signed("<", from_end, counts), _SAMPLES)

    def _added(self, so_far: list[Vector], at: Vector, mask: Vector = None) -> list[Vector]:
        """The sums with the samples from `at` on in them."""
        b = self._builder
        x, y = self._loaded(self._voltage, at), self._loaded(self._current, at)
        if mask is not None:
            x, y = b.and_(x, mask), b.and_(y, mask)
        delayed = self._loaded(self._voltage, b.sub(at, self._lag))
        factors = [(x, _ONES), (y, _ONES)]
        for one, other in ((x, x), (y, y), (x, y), (delayed, y)):
            high, low = b.ashr(other, _all(_SAMPLES, 8)), b.and_(other, _LOW_BYTE)
            factors += [(one, high), (one, low)]
        dots = starmap(self._dot, factors)
        added = [b.add(total, dot) for total, dot in zip(so_far[:_SUMS], dots, strict=True)]
        peak = self._larger(self._larger(so_far[_SUMS], self._size(x)), self._size(y))
        return [*added, peak]

    def _loaded(self, array: Vector, at: Vector) -> Vector:
        b = self._builder
        place = b.bitcast(b.gep(array, [at]), _SAMPLES.as_pointer())
        return b.load(place, align=_I16.width // 8)

    def _fetch(self, array: Vector, at: Vector) -> None:
        """Have the processor get what will be summed soon; beyond the end it does no harm."""
        b, byte = self._builder, ir.IntType(8).as_pointer()
        fetch = self._function("llvm.prefetch.p0", ir.VoidType(), byte, _I32, _I32, _I32)
        place = b.bitcast(b.gep(array, [b.add(at, ir.Constant(_I64, _AHEAD))]), byte)
        to_read, keep, data = (ir.Constant(_I32, value) for value in (0, 3, 1))
        b.call(fetch, [place, to_read, keep, data])

    def _dot(self, one: Vector, other: Vector) -> Vector:
        """Products of samples, each even one with the odd one after it added up."""
        b = self._builder
        products = b.mul(b.sext(one, _PRODUCTS), b.sext(other, _PRODUCTS))
        undefined = ir.Constant(_PRODUCTS, ir.Undefined)
        even = b.shuffle_vector(products, undefined, _EVEN)
        return b.add(even, b.shuffle_vector(products, undefined, _ODD))

    def _size(self, samples: Vector) -> Vector:
        """Without sign, as numbers of 16 bits that have none: of -32768 too."""
        size = self._function("llvm.abs.v16i16", _SAMPLES, _SAMPLES, _BIT)
        return self._builder.call(size, [samples, ir.Constant(_BIT, 0)])

    def _larger(self, one: Vector, other: Vector) -> Vector:
        b = self._builder
        return b.select(b.icmp_unsigned(">", one, other), one, other)

    def _concluded(self, totals: list[Vector]) -> list[Vector]:
        """What all lanes have together, in 64 bits."""
        b = self._builder
        in_64 = [b.sext(total, _TOTALS) for total in totals[:_SUMS]]
        whole = in_64[:2]
        for high, low in zip(in_64[2::2], in_64[3::2], strict=True):
            whole.append(b.add(b.shl(high, _all(_TOTALS, 8)), low))
        across = self._function("llvm.vector.reduce.add.v8i64", _I64, _TOTALS)
        largest = self._function("llvm.vector.reduce.umax.v16i16", _I16, _SAMPLES)
        peak = b.zext(b.call(largest, [totals[_SUMS]]), _I64)
        return [*(b.call(across, [each]) for each in whole), b.mul(peak, peak)]

    def _function(self, name: str, result: ir.Type, *given: ir.Type) -> Vector:
        kind = ir.FunctionType(result, given)
        return get_or_insert_function(self._builder.module, kind, name)  # type: ignore[no-untyped-call]  # as above
