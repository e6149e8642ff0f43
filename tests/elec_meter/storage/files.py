"""What lies in a directory, to see whether somebody was there."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path


def fingerprint(directory: Path) -> dict[str, str]:
    """Every file's name and the digest of its content."""
    return {
        str(path.relative_to(directory)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
