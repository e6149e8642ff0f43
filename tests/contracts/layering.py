"""Who may import whom (docs: "Who may import whom", rules 1, 2, 4 and 5) as checks of one file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.contracts.source import PACKAGES, Finding, Source

# Rule 1: the other packages of ours that each may import.
OTHERS = {
    "shared": (),
    "pulse_unit": ("shared",),
    "collector": ("shared",),
    "elec_meter": ("shared",),
}
COLLECTOR_USERS = (
    "at_rest",
    "configured",
    "meter",
    "pairing_place",
    "pairing_desk",
    "panel_desk",
    "pulse_units",
    "collected",
    "measured",
    "ledger.channels",
    "panel",
    "runtime",
    "host",
    "cli",
    "demo",
    "testing",
)
PULSE_UNIT_USERS = ("demo",)

# Rule 2: what each part of elec_meter may know of the others. Data runs from sampling to the
# renderings; what may be known is therefore always earlier in this list.
_SETTINGS = ("errors", "config")
_PURE = (*_SETTINGS, "tariff", "access")
_RENDERING = (*_SETTINGS, "access", "objects")
_NAMES = ("version", "events")
_SWITCHES = ("alarms", "contactor", "led", "limiter", "outages", "terminals", "switchgear", "plans")
_SEEN = (*_SWITCHES, "unit_report")
_CORE = (
    *_PURE,
    *_NAMES,
    *_SEEN,
    "sampling",
    "metrology",
    "clock",
    "ledger",
    "storage",
    "objects",
)
_METER = (*_CORE, "display", "flag", "calibrated", "meter")
_PORTS = (
    "hal",
    "dlms",
    "dlms_service",
    "panel",
    "panel_desk",
    "addons",
    "addon_lines",
    "control",
    "ports",
)
_EDGES = (*_METER, *_PORTS, "runtime", "at_rest")
KNOWS = {
    "errors": (),
    "version": (),
    "events": (),
    "front_end": (),
    "config": ("errors", "front_end"),
    "tariff": _SETTINGS,
    "access": (*_SETTINGS, "events"),
    "sampling": ("errors",),
    "metrology": ("errors", "front_end", "sampling"),
    "typetest": ("errors", "sampling", "metrology"),
    "stretches": (),
    "line_time": (),
    "clock": (*_SETTINGS, "stretches"),
    "ledger": (*_SETTINGS, "tariff", "metrology", "clock"),
    "storage": (*_SETTINGS, "events", "clock", "ledger"),
    "alarms": (*_SETTINGS, "events"),
    "contactor": _SETTINGS,
    "led": (*_SETTINGS, "metrology"),
    "outages": ("errors",),
    "unit_report": (),
    "limiter": (*_SETTINGS, "clock"),
    "terminals": (*_SETTINGS, "tariff"),
    "plans": (*_SETTINGS, "tariff"),
    "switchgear": (*_SETTINGS, "events", "clock", "contactor", "limiter", "terminals"),
    "objects": (*_PURE, *_NAMES, *_SEEN, "metrology", "clock", "ledger"),
    "display": _RENDERING,
    "flag": _RENDERING,
    "dlms": _RENDERING,
    "panel": _RENDERING,
    "addons": (*_RENDERING, "dlms", "line_time"),
    "collected": ("events", "objects"),
    "supply": ("errors", "events", "clock", "metrology"),
    "quality": ("events", "clock", "ledger", "metrology"),
    "eventlog": ("events", "objects", "storage"),
    "assembly": (*_CORE, "display", "flag"),
    "calibrated": ("config", "sampling", "metrology"),
    "pulse_units": _SETTINGS,
    "configured": (*_CORE, "eventlog", "assembly", "display", "pulse_units"),
    "planned": (*_CORE, "configured"),
    "switched": (*_CORE, "configured", "planned"),
    "commands": (*_CORE, "configured", "switched", "pulse_units"),
    "measured": (*_CORE, "quality", "supply", "calibrated", "commands"),
    "meter": (*_CORE, "collected", "eventlog", "calibrated", "configured", "measured"),
    "at_rest": (*_CORE, "configured", "pulse_units"),
    "addon_lines": (*_METER, "addons"),
    "control": (*_METER, "configured"),
    "pairing_place": (*_METER, "configured", "pulse_units"),
    "pairing_desk": (*_METER, "configured", "pairing_place"),
    "panel_desk": (*_METER, "configured", "control", "switched", "pairing_desk", "panel"),
    "ports": ("errors", "config", "line_time", "flag", "dlms", "control"),
    "hal": ("errors", "meter"),
    "dlms_service": (*_METER, "dlms"),
    "runtime": (*_METER, *_PORTS, "pairing_desk"),
    "host": (*_EDGES, "calibrated", "configured", "pulse_units"),
    "estate": (*_PURE, "sampling", "metrology", "ledger"),
    "demo": _EDGES,
    "testing": _METER,
    "cli": (*_EDGES, "front_end", "host", "typetest", "estate", "demo"),
    "__main__": ("cli",),
}

# Rule 4: where the two heavy libraries may appear, and those that only a user's tests have.
HEAVY = {
    "numba": ("metrology", "estate"),
    "numpy": ("metrology", "typetest", "estate", "sampling", "demo"),
    "matplotlib": ("cli",),
    "freezegun": ("testing",),
    "pytest": ("testing",),
}

_CLASSES = "elec_meter.objects.classes"
_OBIS_TEXT = re.compile(r"\d{1,3}-\d{1,3}:\d{1,3}\.\d")


def part_of(dotted: str) -> str:
    """The part of a package to which a dotted name belongs; `cli_x` and `cli.x` are both `cli`."""
    parts = dotted.split(".")
    part = parts[1] if len(parts) > 1 else ""
    return "cli" if part.startswith("cli_") else part


def between_packages(source: Source) -> Iterator[Finding]:
    """Rule 1: imports of another package, of tests, and of what only some parts may use."""
    own, inside = source.name.split(".")[0], source.name.partition(".")[2]
    for imported in source.imports:
        other = imported.target.split(".")[0]
        if other == own or other not in (*PACKAGES, "tests", "benchmarks", "fuzz"):
            continue
        if other in OTHERS[own]:
            continue
        if own == "elec_meter" and other in ("collector", "pulse_unit"):
            users = COLLECTOR_USERS if other == "collector" else PULSE_UNIT_USERS
            if inside in users or part_of(source.name) in users:
                continue
        yield source.finding(imported.line, f"{source.name} may not import {imported.target}")


def collector_names(source: Source, public: frozenset[str]) -> Iterator[Finding]:
    """Rule 1: elec_meter takes the collector's public names and its bearers, nothing inside it."""
    if not source.name.startswith("elec_meter"):
        return
    for imported in source.imports:
        parts = imported.target.split(".")
        if parts[0] != "collector" or len(parts) == 1 or parts[1] == "bearers":
            continue
        if parts[1] not in public:
            yield source.finding(imported.line, f"{imported.target} is not public in collector")


def inside_elec_meter(source: Source) -> Iterator[Finding]:
    """Rule 2: imports between the parts of elec_meter, backwards or from an unknown part."""
    if source.name == "elec_meter":
        return
    part = part_of(source.name)
    if part not in KNOWS:
        yield source.finding(1, f"{part} has no place in tests/contracts/layering.py yet")
        return
    for imported in source.imports:
        if imported.target.split(".")[0] != "elec_meter":
            continue
        other = part_of(imported.target)
        if other != part and other not in KNOWS[part]:
            yield source.finding(imported.line, f"{part} may not know {imported.target}")


def knowledge(source: Source) -> Iterator[Finding]:
    """Rule 2: the ledger and what comes before it know no OBIS code."""
    if part_of(source.name) not in ("sampling", "metrology", "ledger", "tariff"):
        return
    for imported in source.imports:
        if imported.target.startswith("shared.obis"):
            yield source.finding(imported.line, "knows OBIS codes")
    for node in source.nodes:
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and _OBIS_TEXT.search(text):
            yield source.finding(node, "spells out an OBIS code")


def interface_classes(source: Source) -> Iterator[Finding]:
    """Rule 2: COSEM's classes know nothing of the directory that is made of them."""
    if not f"{source.name}.".startswith(f"{_CLASSES}."):
        return
    for imported in source.imports:
        if f"{imported.target}.".startswith("elec_meter.objects.") and not (
            f"{imported.target}.".startswith(f"{_CLASSES}.")
        ):
            yield source.finding(imported.line, f"a COSEM class may not know {imported.target}")


def heavy_libraries(source: Source) -> Iterator[Finding]:
    """Rule 4: numba and numpy outside the parts that compute, pytest outside the plug-in."""
    for imported in source.imports:
        users = HEAVY.get(imported.target.split(".")[0])
        inside = source.name.startswith("elec_meter.") and part_of(source.name)
        if users is not None and inside not in users:
            yield source.finding(imported.line, f"{source.name} may not import {imported.target}")


def private_names(source: Source) -> Iterator[Finding]:
    """Rule 5: `_private` modules and names of another package or part."""
    home = _home(source.name)
    for imported in source.imports:
        if _is_private_elsewhere(imported.target, home):
            yield source.finding(imported.line, f"imports the private {imported.target}")
    for node in source.nodes:
        if isinstance(node, ast.Attribute):
            dotted = source.dotted(node)
            if dotted is not None and _is_private_elsewhere(dotted, home):
                yield source.finding(node, f"uses the private {dotted}")


def exports(source: Source) -> Iterator[Finding]:
    """Rule 5: a package's `__init__` lists what it re-exports, completely and sorted."""
    if not source.is_init:
        return
    listed = listed_names(source)
    exported = sorted(
        {
            alias.asname or alias.name
            for node in source.nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if _is_ours(node) and not alias.name.startswith("_")
        }
    )
    if listed is None:
        if exported:
            yield source.finding(1, "re-exports names without an __all__")
        return
    if listed != sorted(set(listed), key=_export_order):
        yield source.finding(1, "its __all__ is not sorted")
    if sorted(set(listed)) != exported:
        difference = ", ".join(sorted(set(listed) ^ set(exported)))
        yield source.finding(1, f"__all__ and what it imports differ in {difference}")


def listed_names(source: Source) -> list[str] | None:
    """A module's `__all__`, if it has one."""
    for node in source.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id == "__all__":
                return list(ast.literal_eval(node.value))
    return None


def _export_order(name: str) -> tuple[int, list[str | int]]:
    """Constants, classes, functions; digits by their value: as the linter sorts them."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, [int(run) if run.isdigit() else run for run in re.split(r"(\d+)", name)]


def _is_ours(node: ast.ImportFrom) -> bool:
    return bool(node.level) or (node.module or "").split(".")[0] in PACKAGES


def _home(dotted: str) -> str:
    parts = dotted.split(".")
    return ".".join(parts[:2]) if parts[0] == "elec_meter" else parts[0]


def _is_private_elsewhere(target: str, home: str) -> bool:
    parts = target.split(".")
    if parts[0] not in PACKAGES or _home(target) == home:
        return False
    return any(part.startswith("_") and not part.endswith("__") for part in parts)
