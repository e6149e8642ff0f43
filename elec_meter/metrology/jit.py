"""How metrology's kernels are compiled."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

_Kernel = TypeVar("_Kernel", bound="Callable[..., Any]")


def kernel(*signatures: Any, inline: bool = False) -> Callable[[_Kernel], _Kernel]:
    """Compile for `signatures`, or as its callers need it without any; keep the result on disk.

    Where no directory for that can be written, a warning says that every start compiles anew.
    """

    def compiled(function: _Kernel, *, cache: bool = True) -> _Kernel:
        # No divisor is ever zero: numba need not look.
        decorate = njit(
            list(signatures) or None,
            cache=cache,
            nogil=True,
            error_model="numpy",
            forceinline=inline,
        )
        try:
            return cast("_Kernel", decorate(function))
        except RuntimeError:
            if not cache:
                raise
            if signatures:
                _say_uncached()
            return compiled(function, cache=False)

    return compiled


@functools.cache
def _say_uncached() -> None:
    """Once for all kernels: the registry of warnings does not outlive the compiler's own."""
    warnings.warn(
        "no directory for compiled kernels can be written (NUMBA_CACHE_DIR names one):"
        " every start takes seconds longer",
        RuntimeWarning,
        stacklevel=1,
    )
