"""Where compiled kernels are kept, and when they are out of date; imported by numba alone.

numba looks only at the file in which a kernel stands. A kernel here also has the code of what it
calls in others, so that a change to any file of this folder makes all kernels compile anew.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from numba.core.caching import (
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
