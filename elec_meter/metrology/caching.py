"""Where compiled kernels are kept, and when they are out of date or damaged.

numba looks only at the file in which a kernel stands. A kernel here also has the code of what it
calls in others, so that a change to any file of this folder makes all kernels compile anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import warnings
from pathlib import Path
from typing import Any

from numba.core.caching import (
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)


@functools.cache
def _stamp() -> bytes:
    """A digest of every source file of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


class _OfFolder:
    def get_source_stamp(self) -> bytes:
        return _stamp()


class ProvidedCache(_OfFolder, UserProvidedCacheLocator):
    """The directory that NUMBA_CACHE_DIR names."""


class BesideCache(_OfFolder, InTreeCacheLocator):
    """`__pycache__` beside the source."""


class HomeCache(_OfFolder, UserWideCacheLocator):
    """The user's directory for caches."""


class InstalledCache(BesideCache):
    """The directory beside the source, where it can be read only."""

    def ensure_cache_path(self) -> None:
        """Refuse a directory without any kernels, as numba refuses one that it cannot write.

        Raises:
            FileNotFoundError: There are none.
        """
        folder = Path(self.get_cache_path())  # type: ignore[no-untyped-call]  # of numba's, which says no type
        if not any(folder.glob("*.nbi")):
            raise FileNotFoundError


class KernelCache(FunctionCache):
    """The files of one kernel. No fault of theirs keeps a meter from starting.

    A file that was cut off, as by a power cut, is compiled anew and replaced. Where that cannot be
    written, a warning says that every start takes longer.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is kept for a signature; None if there is nothing that can be read."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # of numba's, which says no type
        except Exception:  # noqa: BLE001 - unpickling damaged bytes raises whatever they say
            with contextlib.suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]  # of numba's, which says no type
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled for a signature, if it can be."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]  # of numba's, which says no type
        except Exception:  # noqa: BLE001 - it reads the index before, which may be damaged
            say_uncached()


@functools.cache
def say_uncached() -> None:
    """Once for all kernels: the registry of warnings does not outlive the compiler's own."""
    warnings.warn(
        "no directory for compiled kernels can be written (NUMBA_CACHE_DIR names one):"
        " every start takes seconds longer",
        RuntimeWarning,
        stacklevel=1,
    )
