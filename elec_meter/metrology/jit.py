"""How metrology's kernels are compiled."""

from __future__ import annotations

import contextlib
import functools
import warnings
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import config, njit

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
        if not signatures:
            return cast("_Kernel", njit(**options)(function))
        try:
            with _kept_in(_WRITABLE):
                return cast("_Kernel", njit(list(signatures), cache=True, **options)(function))
        except RuntimeError:
            return _loaded(function, signatures, options)

    return compiled


@contextlib.contextmanager
def _kept_in(caches: tuple[str, ...]) -> Iterator[None]:
    """Meanwhile numba keeps what it compiles in the first of `caches` that it can use."""
    before = getattr(config, _LOCATORS, "")
    setattr(config, _LOCATORS, ",".join(f"elec_meter.metrology.caching.{name}" for name in caches))
    try:
        yield
    finally:
        setattr(config, _LOCATORS, before)


def _loaded(function: _Kernel, signatures: tuple[Any, ...], options: dict[str, Any]) -> _Kernel:
    """Compiled code from where nothing can be written, or compiled anew."""
    try:
        with _kept_in(_READABLE):
            dispatcher: Any = njit(cache=True, **options)(function)
    except RuntimeError:
        dispatcher = njit(**options)(function)
        _say_uncached()
    for signature in signatures:
        try:
            dispatcher.compile(signature)
        except OSError:
            # Compiled for this processor, and then not saved.
            _say_uncached()
    dispatcher.disable_compile()
    return cast("_Kernel", dispatcher)


@functools.cache
def _say_uncached() -> None:
    """Once for all kernels: the registry of warnings does not outlive the compiler's own."""
    warnings.warn(
        "no directory for compiled kernels can be written (NUMBA_CACHE_DIR names one):"
        " every start takes seconds longer",
        RuntimeWarning,
        stacklevel=1,
    )
