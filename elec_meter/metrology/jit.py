"""How metrology's kernels are compiled."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import config, njit

from elec_meter.metrology.caching import KernelCache, say_uncached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# No divisor is ever zero: numba need not look.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

# What numba takes from NUMBA_CACHE_LOCATOR_CLASSES; versions that do not know it look only at the
# file in which a kernel stands.
_LOCATORS = "CACHE_LOCATOR_CLASSES"
_WRITABLE = ("ProvidedCache", "BesideCache", "HomeCache")
_READABLE = ("InstalledCache",)

_Kernel = TypeVar("_Kernel", bound="Callable[..., Any]")


def kernel(*signatures: Any, inline: bool = False) -> Callable[[_Kernel], _Kernel]:
    """Compile for `signatures` and keep the result on disk, or as its callers need it without any.

    A caller's code has that of all it calls in it. Where no directory can be written, what the
    installation left beside the source is loaded; if that is nothing for this processor, a warning
    says that every start compiles anew.
    """
    options = OPTIONS | {"forceinline": inline}

    def compiled(function: _Kernel) -> _Kernel:
        dispatcher: Any = njit(**options)(function)
        # Without the JIT it is the function itself.
        if signatures and dispatcher is not function:
            _keep(dispatcher, function)
            for signature in signatures:
                dispatcher.compile(signature)
            dispatcher.disable_compile()
        return cast("_Kernel", dispatcher)

    return compiled


def _keep(dispatcher: Any, function: Callable[..., Any]) -> None:
    """Have what is compiled kept, as numba's own `cache=True` does, wherever it can be."""
    for caches in (_WRITABLE, _READABLE):
        with contextlib.suppress(RuntimeError), _kept_in(caches):
            dispatcher._cache = KernelCache(function)  # type: ignore[no-untyped-call]  # noqa: SLF001 - numba lets no one choose
            return
    say_uncached()


@contextlib.contextmanager
def _kept_in(caches: tuple[str, ...]) -> Iterator[None]:
    """Meanwhile numba keeps what it compiles in the first of `caches` that it can use."""
    before = getattr(config, _LOCATORS, "")
    setattr(config, _LOCATORS, ",".join(f"elec_meter.metrology.caching.{name}" for name in caches))
    try:
        yield
    finally:
        setattr(config, _LOCATORS, before)
