"""What `config check` says of the ports of `[host]`: the start would say the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from elec_meter.cli.main import main
from elec_meter.config import file_from_toml
from elec_meter.errors import MeterError
from elec_meter.host.addons import tell_of_addons
from elec_meter.host.checking import check_host
from elec_meter.host.edges import edges_of
from tests.certificates import self_signed
from tests.elec_meter.host.test_edges import host

HOUSE = "[host.mains]\nsynthetic_w = 1\n"
FLAG = "[host.flag]\nlisten = '127.0.0.1:1'\n"
DLMS = "[host.dlms]\nlisten = '127.0.0.1:2'\n"
PANEL = "[host.panel]\nlisten = '0.0.0.0:3'\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs of a certificate and a key, a file that holds neither, and a folder."""
    folder = tmp_path_factory.mktemp("folder")
    self_signed(folder, "own")
    self_signed(folder, "other")
    self_signed(folder, "locked", b"secret")
    (folder / "text").write_text("root:x:0:0\n")
    (folder / "folder").mkdir()
    return folder


def pair(certificate: str, key: str) -> str:
    """The lines of a table that name them."""
    return f"certificate = '{certificate}'\nkey = '{key}'\n"


REFUSED = [
    (table + pair(*files), f"host.{name}: ", reason)
    for name, table in (("flag", FLAG), ("dlms", DLMS), ("panel", PANEL))
    for files, reason in (
        (("own.pem", "other.key"), "other.key is not that of the certificate "),
        (("text", "own.key"), "text holds no certificate in PEM"),
        (("own.pem", "locked.key"), "locked.key has a passphrase, and nobody is there to give it"),
    )
]


@pytest.mark.parametrize(
    ("tables", "path", "reason"),
    [
        *REFUSED,
        (PANEL + pair("folder", "own.key"), "host.panel: ", "folder is no file"),
        (PANEL, "host.panel: ", "the panel would be open to the network on 0.0.0.0 in clear"),
        ("[host.dlms]\n", "host.dlms: ", "it is for mode E, and there is no FLAG port"),
        ("[host.flag]\noptical = '/dev/x,9Z9'\n", "host.flag.optical: ", "is no serial port"),
    ],
)
def test_a_port_that_no_start_would_open_is_refused(
    tables: str, path: str, reason: str, folder: Path
) -> None:
    """One sentence, with the file, the table and the reason; the start refuses it too."""
    file = folder / "meter.toml"
    file.write_text(HOUSE + tables)
    result = CliRunner().invoke(main, ["config", "check", str(file)], catch_exceptions=False)
    assert (1, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"Error: {file}: {path}")
    assert reason in result.stderr
    assert 1 == len(result.stderr.splitlines())
    _, config = file_from_toml(file.read_text())
    assert config is not None
    tables_of = {name: getattr(config, name) for name in ("flag", "dlms", "panel")}
    with pytest.raises(MeterError):
        edges_of(host(folder, **tables_of))


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        (PANEL + pair("text", "/not/there"), "text holds no certificate in PEM"),
        (PANEL + pair("/not/there", "text"), "text holds no private key in PEM"),
    ],
)
def test_what_is_here_is_looked_into_beside_what_is_not(
    tables: str, reason: str, folder: Path
) -> None:
    """A file that is wrong is wrong on every computer."""
    _, config = file_from_toml(HOUSE + tables)
    assert config is not None
    with pytest.raises(MeterError, match=reason):
        check_host(config, folder)


def test_files_of_another_computer_are_named(folder: Path) -> None:
    """On standard error, or under `notes`; the exit code is 0."""
    file = folder / "meter.toml"
    file.write_text(HOUSE + FLAG + pair("own.pem", "away.key") + PANEL + pair("/no.pem", "/no.pem"))
    notes = [
        f"host.flag: {folder.resolve()}/away.key cannot be read: no such file or directory",
        "host.panel: /no.pem cannot be read: no such file or directory",
    ]
    result = CliRunner().invoke(main, ["config", "check", str(file)], catch_exceptions=False)
    assert 0 == result.exit_code
    assert [f"Not checked: {file}: {note}." for note in notes] == result.stderr.splitlines()
    words = ["config", "check", str(file), "--json"]
    assert notes == json.loads(CliRunner().invoke(main, words).stdout)["notes"]


def test_a_certificate_whose_time_is_over_is_a_warning(folder: Path) -> None:
    """The start opens the port too: the exit code is 0, and what is valid is not spoken of."""
    self_signed(folder, "old", begins=datetime(2026, 4, 1, tzinfo=UTC) - timedelta(days=4_000))
    file = folder / "meter.toml"
    file.write_text(HOUSE + FLAG + pair("own.pem", "own.key") + PANEL + pair("old.pem", "old.key"))
    warning = (
        f"host.panel: the certificate {folder.resolve()}/old.pem ended on 2015-04-28: whoever"
        " connects is warned or refuses it"
    )
    result = CliRunner().invoke(main, ["config", "check", str(file)], catch_exceptions=False)
    assert (0, f"Warning: {file}: {warning}.\n") == (result.exit_code, result.stderr)
    told = json.loads(CliRunner().invoke(main, ["config", "check", str(file), "--json"]).stdout)
    assert ([], [warning]) == (told["notes"], told["warnings"])


@pytest.mark.parametrize(
    "tables",
    [
        FLAG + pair("own.pem", "own.key") + DLMS + PANEL + pair("own.both.pem", "own.both.pem"),
        PANEL + "insecure = true\n",
        "[host.panel]\n",
    ],
)
def test_ports_that_would_open_are_not_spoken_of(tables: str, folder: Path) -> None:
    """Paths begin where the file is."""
    _, config = file_from_toml(HOUSE + tables)
    assert config is not None
    assert [] == check_host(config, folder)


def p1(name: str, listen: str, table: str = "addons") -> str:
    """The lines of a module that listens."""
    settings = f"settings = [{{ name = 'listen', value = '{listen}' }}]"
    return f"[[{table}]]\nname = '{name}'\nmodule = 'p1'\n{settings}\n"


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        (
            p1("meter", "localhost:3") + HOUSE + "[host.panel]\nlisten = '127.0.0.1:3'\n",
            "addons[0].settings: the add-on meter and host.panel would both listen on localhost:3",
        ),
        (
            p1("one", "[::1]:7") + p1("two", "[::]:7") + HOUSE,
            "addons[1].settings: the add-on two and the add-on one would both listen on [::]:7",
        ),
        (
            p1("one", "127.0.0.1:7") + HOUSE + FLAG + p1("two", "0.0.0.0:7", "host.addons"),
            (
                "host.addons[0].settings: the add-on two and the add-on one would both listen on"
                " 0.0.0.0:7"
            ),
        ),
        (
            p1("one", "127.0.0.1:7") + p1("two", "127.0.0.1:7"),
            (
                "addons[1].settings: the add-on two and the add-on one would both listen on"
                " 127.0.0.1:7"
            ),
        ),
        (p1("one", "127.0.0.1:0") + p1("two", "127.0.0.1:0") + HOUSE + FLAG + DLMS, ""),
        (p1("one", "127.0.0.2:1") + p1("two", "127.0.0.1:3") + HOUSE + FLAG, ""),
    ],
)
def test_a_module_that_listens_where_something_else_does_is_refused(
    tables: str, sentence: str, folder: Path
) -> None:
    """Both are named; the start tells the same, and the meter measures."""
    file = folder / "meter.toml"
    file.write_text(tables)
    result = CliRunner().invoke(main, ["config", "check", str(file)], catch_exceptions=False)
    assert (f"Error: {file}: {sentence}.\n" if sentence else "") == result.stderr
    config, given = file_from_toml(tables)
    if given is not None:
        told: list[str] = []
        tell_of_addons(replace(host(folder), config=given, tell=told.append), config)
        assert ([sentence] if sentence else []) == told


@pytest.mark.parametrize(
    ("flag", "panel", "is_refused"),
    [
        ("127.0.0.1:8062", "127.0.0.1:8062", True),
        ("localhost:8062", "127.0.0.1:8062", True),
        ("0.0.0.0:8062", "127.0.0.1:8062", True),
        ("[::]:8062", "[::1]:8062", True),
        ("meter.example:8062", "meter.example:8062", True),
        ("[::]:8062", "127.0.0.1:8062", False),
        ("127.0.0.1:8062", "127.0.0.2:8062", False),
        ("127.0.0.1:8062", "127.0.0.1:8063", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
    ],
)
def test_two_ports_in_one_place_are_refused(flag: str, panel: str, is_refused: bool) -> None:
    """Wherever the file is read: the second could not listen there."""
    text = f"{HOUSE}[host.flag]\nlisten = '{flag}'\n[host.panel]\nlisten = '{panel}'\n"
    if is_refused:
        with pytest.raises(MeterError, match="host: flag and panel would both listen on"):
            file_from_toml(text)
    else:
        assert file_from_toml(text)
