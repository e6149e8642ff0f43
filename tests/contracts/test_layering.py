from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

import pytest

from tests.contracts import layering
from tests.contracts.source import PACKAGES, Finding, Source, demand_none, listed, sources

EVERY = sources(*PACKAGES)
ELEC_METER = sources("elec_meter")
CLASSES = "elec_meter/objects/classes"


@pytest.mark.parametrize(
    ("check", "looked_at"),
    [
        (layering.between_packages, EVERY),
        (layering.inside_elec_meter, ELEC_METER),
        (layering.knowledge, ELEC_METER),
        (layering.interface_classes, ELEC_METER),
        (layering.heavy_libraries, EVERY),
        (layering.private_names, EVERY),
        (layering.exports, EVERY),
    ],
    ids=lambda value: getattr(value, "__name__", "files"),
)
def test_tree_keeps_the_import_rules(
    check: Callable[[Source], Iterator[Finding]], looked_at: tuple[Source, ...]
) -> None:
    """No file of the packages breaks the rule."""
    demand_none(check, looked_at)


def public_names(package: str) -> frozenset[str]:
    """The `__all__` of a package of the tree."""
    inits = [source for source in EVERY if source.is_init and source.name == package]
    return frozenset(name for source in inits for name in layering.listed_names(source) or ())


def test_meter_takes_the_collectors_public_names() -> None:
    """What elec_meter imports of the collector is in its `__all__`, or is a bearer."""
    public = public_names("collector")
    demand_none(lambda source: layering.collector_names(source, public), ELEC_METER)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("from collector import Collector", 0),
        ("import collector", 0),
        ("from collector.bearers.virtual import VirtualRadio", 0),
        ("from collector import Hidden", 1),
        ("from collector.timeline import Timeline", 1),
        ("import collector.timeline", 1),
    ],
)
def test_private_parts_of_the_collector_are_caught(text: str, count: int) -> None:
    """A name that the collector does not export is caught."""
    source = Source("elec_meter/runtime.py", text)
    assert count == len(list(layering.collector_names(source, frozenset(["Collector"]))))


def test_there_is_something_to_look_at() -> None:
    """All four packages are found where the checks look."""
    assert set(PACKAGES) == {source.name.split(".")[0] for source in EVERY}


def test_what_a_part_knows_comes_before_it() -> None:
    """The table of parts has no cycle: each part knows only earlier ones."""
    order = list(layering.KNOWS)
    for part, known in layering.KNOWS.items():
        assert [] == [other for other in known if order.index(other) >= order.index(part)]


@pytest.mark.parametrize(
    "package",
    sorted({source.name for source in EVERY if source.is_init and "__all__" in source.text}),
)
def test_every_exported_name_exists(package: str) -> None:
    """Each name of a package's `__all__` can be had from it, loaded late or not."""
    module = importlib.import_module(package)
    assert [] == [name for name in module.__all__ if not hasattr(module, name)]


@pytest.mark.parametrize(
    ("check", "path", "text"),
    [
        (layering.between_packages, "shared/obis.py", "import elec_meter.objects"),
        (layering.between_packages, "shared/wire/crc.py", "from collector import Ingest"),
        (layering.between_packages, "pulse_unit/unit.py", "from collector.ingest import Ingest"),
        (layering.between_packages, "collector/fleet.py", "import pulse_unit"),
        (layering.between_packages, "collector/fleet.py", "def f():\n    from elec_meter import M"),
        (layering.between_packages, "elec_meter/clock.py", "from collector import Collector"),
        (layering.between_packages, "elec_meter/ledger/ledger.py", "import collector"),
        (layering.between_packages, "elec_meter/runtime.py", "from pulse_unit import unit"),
        (layering.between_packages, "elec_meter/flag/port.py", "from tests.naive import x"),
        (layering.inside_elec_meter, "elec_meter/metrology/a.py", "import elec_meter.ledger"),
        (layering.inside_elec_meter, "elec_meter/metrology/a.py", "from elec_meter import ledger"),
        (layering.inside_elec_meter, "elec_meter/ledger/a.py", "from elec_meter.objects import D"),
        (layering.inside_elec_meter, "elec_meter/flag/a.py", "from elec_meter.ledger import L"),
        (layering.inside_elec_meter, "elec_meter/flag/a.py", "from elec_meter.display import D"),
        (layering.inside_elec_meter, "elec_meter/tariff/a.py", "from elec_meter.clock import C"),
        (layering.inside_elec_meter, "elec_meter/objects/a.py", "from elec_meter import Meter"),
        (layering.inside_elec_meter, "elec_meter/meter.py", "from .runtime import Runtime"),
        (layering.inside_elec_meter, "elec_meter/novelty/a.py", ""),
        (layering.knowledge, "elec_meter/ledger/a.py", "from shared.obis import Obis"),
        (layering.knowledge, "elec_meter/ledger/a.py", "NAME = '1-0:1.8.0'"),
        (layering.knowledge, "elec_meter/metrology/a.py", "from shared import obis"),
        (layering.interface_classes, f"{CLASSES}/a.py", "from elec_meter.objects import Data"),
        (layering.interface_classes, f"{CLASSES}/a.py", "import elec_meter.objects.sources"),
        (layering.heavy_libraries, "elec_meter/ledger/a.py", "import numpy as np"),
        (layering.heavy_libraries, "elec_meter/sampling/a.py", "from numba import njit"),
        (layering.heavy_libraries, "collector/halfhours.py", "from numpy.typing import NDArray"),
        (layering.heavy_libraries, "shared/metrology/a.py", "import numba"),
        (layering.heavy_libraries, "elec_meter/demo/a.py", "from freezegun import freeze_time"),
        (layering.heavy_libraries, "collector/testing/a.py", "import pytest"),
        (layering.private_names, "collector/ingest.py", "from shared.obis import _LETTERS"),
        (layering.private_names, "elec_meter/flag/a.py", "from elec_meter.objects._base import B"),
        (layering.private_names, "elec_meter/flag/a.py", "from shared import obis\nobis._DOTTED"),
        (layering.exports, "collector/__init__.py", "from collector.ingest import Ingest"),
        (layering.exports, "collector/__init__.py", "from .a import B, A\n__all__ = ['B', 'A']"),
        (layering.exports, "collector/__init__.py", "from .a import B, A\n__all__ = ['A']"),
        (layering.exports, "collector/__init__.py", "__all__ = ['A', 'B']\nfrom .a import A"),
    ],
)
def test_checks_can_fail(
    check: Callable[[Source], Iterator[Finding]], path: str, text: str
) -> None:
    """Each rule catches a file that breaks it."""
    assert 1 == len(listed(check(Source(path, text))))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("collector/ingest.py", "from shared.wire.oms import parse_header\nimport collector.fleet"),
        ("elec_meter/ledger/channels.py", "from collector import Collector"),
        ("elec_meter/cli/main.py", "from collector import Collector\nfrom elec_meter import Meter"),
        ("elec_meter/demo/gas.py", "from pulse_unit.hal.virtual import VirtualUnit"),
        ("elec_meter/demo/gas.py", "import numpy\nfrom elec_meter.demo._x import y"),
        ("elec_meter/metrology/a.py", "import numba\nfrom elec_meter.sampling import SampleBlock"),
        (
            "elec_meter/testing/a.py",
            "import pytest, freezegun\nfrom collector import ReceivedFrame",
        ),
        (f"{CLASSES}/data.py", "from elec_meter.objects.classes.base import CosemObject"),
        ("elec_meter/ledger/a.py", "from ._rows import rows\nX = 'register 1.8.0 is not named'"),
        ("elec_meter/flag/__init__.py", "from .a import A, B\n__all__ = ['A', 'B']"),
    ],
)
def test_checks_let_good_files_pass(path: str, text: str) -> None:
    """What the rules allow is not found by any of them."""
    source = Source(path, text)
    checks = [layering.between_packages, layering.knowledge, layering.heavy_libraries]
    checks += [layering.private_names, layering.exports, layering.interface_classes]
    if path.startswith("elec_meter") and "from elec_meter import" not in text:
        checks.append(layering.inside_elec_meter)
    assert [] == [text for check in checks for text in listed(check(source))]
