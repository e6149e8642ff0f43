"""`docs/running.md` is what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec

from elec_meter.config import HostConfig, config_json_schema, file_from_toml
from elec_meter.host.edges import EDGES
from elec_meter.storage import read_config
from tests.elec_meter.cli.commands import REPOSITORY

PAGE = (REPOSITORY / "docs" / "running.md").read_text()
EXAMPLE = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]


def test_every_key_is_on_the_page() -> None:
    """The table has what the schema has, in its order."""
    keys = []
    for field in msgspec.structs.fields(HostConfig):
        keys.append(field.name)
        for kind in (field.type, *get_args(field.type)):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                keys += [f"{field.name}.{each.name}" for each in msgspec.structs.fields(kind)]
    section = PAGE.partition("## The table `[host]`")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    listed = [key for cell in cells for key in re.findall(r"`([\w.]+)`", cell)]
    assert sorted(keys) == sorted(listed)


def test_the_example_is_a_meter() -> None:
    """Its document and its host are both taken; who wants the document alone gets it."""
    config, host = file_from_toml(EXAMPLE)
    assert "20481337" == config.serial
    assert host is not None
    assert set(EDGES) == {name for name in EDGES if getattr(host, name) is not None}


def test_the_edges_are_on_the_page() -> None:
    """All of them, in the order in which they are opened."""
    section = PAGE.partition("## Where other edges fit")[2]
    listed = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", section, re.MULTILINE))
    assert {name: make.__name__ for name, make in EDGES.items()} == listed  # type: ignore[attr-defined]  # all are classes
    assert list(EDGES) == list(listed)


def test_every_edge_has_its_table() -> None:
    """Each name is a field of the schema, which `config schema` prints."""
    assert set(EDGES) <= set(get_type_hints(HostConfig))
    defined = config_json_schema()["$defs"]
    assert {"$ref": "#/$defs/HostConfig"} == defined["MeterConfig"]["properties"]["host"]


def test_a_document_is_read_beside_its_host(tmp_path: Path) -> None:
    """`read_config` leaves the host out, and the document is none without it."""
    file = tmp_path / "meter.toml"
    file.write_text(EXAMPLE)
    assert file_from_toml(EXAMPLE)[0] == read_config(file)
