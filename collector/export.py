"""Rows and certificates as files and text: JSON, CSV and pages to print."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from shared.exact_json import exact_json

from .certificate import certificate_html


def write_certificate(document: dict[str, Any], path: Path) -> None:
    """Write a certificate: JSON where the name ends in `.json`, else a page to print.

    Raises:
        OSError: it cannot be written.
    """
    if path.suffix == ".json":
        path.write_text(exact_json(document, indent=2) + "\n", "utf-8")
    else:
        path.write_text(certificate_html(document), "utf-8")


def csv_text(rows: list[dict[str, Any]]) -> str:
    """Rows as comma-separated values; inner mappings have a column for each of their names."""
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name == "channels":
            flat |= value
        elif isinstance(value, dict):
            prefix = name.removeprefix("channel_")
            flat |= {f"{inner}_{prefix}": each for inner, each in value.items()}
        else:
            flat[name] = str(value).lower() if isinstance(value, bool) else value
    return flat
