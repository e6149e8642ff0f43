"""`make bench`: run every `bench_*.py` beside this file, print one table, write results.json."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent


def main() -> None:
    """Measure everything whose module name contains one of the words given (all without any)."""
    words = sys.argv[1:]
    names = [p.stem for p in sorted(FOLDER.glob("bench_*.py"))]
    names = [n for n in names if not words or any(word in n for word in words)]
    if not names:
        raise SystemExit(f"no benchmark is named like {' or '.join(words)}")
    console = Console(stderr=True)
    rows: list[dict[str, Any]] = []
    for name in names:
        console.print(f"measuring {name.removeprefix('bench_')} ...", style="dim")
        rows += importlib.import_module(f"benchmarks.{name}").rows()
    table = Table("what", "value", "unit", "beside", title="halfhourly benchmarks")
    for row in rows:
        table.add_row(row["name"], f"{row['value']:,.4g}", row["unit"], row["relative_to"] or "")
    Console().print(table)
    results = {
        "measured_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "rows": rows,
    }
    (FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
