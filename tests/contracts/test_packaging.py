"""What a wheel of the product holds."""

from __future__ import annotations

from tests.contracts.source import PACKAGES, ROOT


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` would be missing from an installed product."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    assert [] == sorted({str(p.parent) for p in files if not (p.parent / "__init__.py").exists()})
