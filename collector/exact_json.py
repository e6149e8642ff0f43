"""JSON with exact numbers: the standard library has no way to write a `Decimal` as a number."""

import json
from decimal import Decimal
from typing import Any


def exact_json(value: Any, indent: int = 0) -> str:
    """Return ``value`` (dicts, lists, text, numbers, None) as indented JSON text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        inner = [
            f"{json.dumps(name)}: {exact_json(item, indent + 2)}" for name, item in value.items()
        ]
        opening, closing = "{}"
    else:
        inner = [exact_json(item, indent + 2) for item in value]
        opening, closing = "[]"
    joined = f",\n{pad}".join(inner)
    return f"{opening}\n{pad}{joined}\n{' ' * indent}{closing}"
