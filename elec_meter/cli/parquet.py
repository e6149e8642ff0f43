"""Half-hours as Parquet, with pyarrow where it is installed."""

from __future__ import annotations

from datetime import date, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final

from elec_meter.errors import ExportError
from shared.extras import installing

from .columns import columns_of
from .export_forms import Rows, flat

_ROWS_AT_ONCE: Final = 4_096


def require_pyarrow() -> Any:
    """The library.

    Raises:
        ExportError: it is not installed.
    """
    try:
        import pyarrow as pa

        import_module("pyarrow.parquet")  # a part that does not come by itself
    except ImportError:
        raise ExportError("Parquet needs pyarrow: " + installing("parquet")) from None
    return pa


def write_parquet(rows: Rows, path: Path) -> None:
    """Write the columns of the CSV: instants in UTC, whole numbers, null for what is not known.

    Args:
        rows: gives them, twice.
        path: of the file.

    Raises:
        ExportError: pyarrow is not installed.
    """
    arrow = require_pyarrow()
    columns = columns_of(map(flat, rows()))
    schema = arrow.schema([(column, _type(arrow, column)) for column in columns])
    with arrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        listed = map(flat, rows())
        while some := list(islice(listed, _ROWS_AT_ONCE)):
            values = [[_value(column, row.get(column)) for row in some] for column in columns]
            arrays = [
                arrow.array(cells, field.type) for cells, field in zip(values, schema, strict=True)
            ]
            writer.write_table(arrow.table(arrays, schema=schema))


def _type(arrow: Any, column: str) -> Any:
    if column in ("start", "end"):
        return arrow.timestamp("ms", tz="UTC")
    return arrow.date32() if column == "settlement_date" else arrow.int64()


def _value(column: str, value: Any) -> Any:
    if column in ("start", "end"):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if column == "settlement_date" else value
