"""Where numba finds compiled kernels that an installation left, imported by numba alone."""

from __future__ import annotations

from pathlib import Path

from numba.core.caching import InTreeCacheLocator


class InstalledCache(InTreeCacheLocator):
    """The directory beside the source, where it can be read only."""

    def ensure_cache_path(self) -> None:
        """Refuse a directory without any kernels, as numba refuses one that it cannot write.

        Raises:
            FileNotFoundError: There are none.
        """
        folder = Path(self.get_cache_path())  # type: ignore[no-untyped-call]  # of numba's, which says no type
        if not any(folder.glob("*.nbi")):
            raise FileNotFoundError
