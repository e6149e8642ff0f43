"""`elec-meter config`: configuration documents, and the meters that have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from shared.options import example

from .options import data_option, json_option
from .ordering import holds_meter, new_key, order

if TYPE_CHECKING:
    from elec_meter.at_rest import Written
    from elec_meter.config import MeterConfig
    from elec_meter.control import Request
    from elec_meter.storage import Storage

READY_MADE = ("default", "demo")


@click.group()
def command() -> None:
    """Check, show and compare configuration documents, and put them in force."""


_path = click.Path(path_type=Path)
_stored = click.option(
    "--data", "data_dir", type=_path, metavar="DIR", help="The meter's data directory."
)


@command.command(
    epilog=example(
        "elec-meter config apply meter.toml --data home",
        "elec-meter config apply --change 3c0f0211 --data home",
    )
)
@click.argument("file", type=_path, required=False)
@data_option
@click.option("--change", metavar="HEX", help="A compact change instead, as `config diff` gives.")
@json_option
def apply(file: Path | None, data_dir: Path, change: str | None, as_json: bool) -> None:
    """Put a document in force, whole or not at all.

    A meter that runs has it at once; one that does not, from its next start on.
    """
    from elec_meter import at_rest
    from elec_meter.access import Level
    from elec_meter.config import MeterConfig, config_to_json
    from elec_meter.control import ApplyConfig
    from elec_meter.errors import ConfigError
    from elec_meter.storage import read_config

    if (file is None) == (change is None):
        raise click.UsageError("Give either FILE or --change HEX.")
    config = None if file is None else read_config(file)
    if config is None:
        request = ApplyConfig(change=change, key=new_key())
    else:
        document = msgspec.Raw(config_to_json(config))
        request = ApplyConfig(document=document, key=new_key())

    def written(storage: Storage) -> Written:
        new = request.config(storage.load_config() or MeterConfig())
        return at_rest.apply_config(storage, new, level=Level.SUPPLIER)

    try:
        _refuse_bad_modules(data_dir, request.config)
        _have_in_force(data_dir, request, written, as_json)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}" if file else str(error)) from None


@command.command(epilog=example("elec-meter config check meter.toml"))
@click.argument("file", type=_path)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Say whether a document is a meter's, and what kind of meter.

    What the meter shows, reads out and records is tried out too, and so are the passive tariff, the
    ports of [host] and the settings of add-on modules. Modules and files that are not on this
    computer are named: they must be on the meter's. A certificate whose time is over is told.
    """
    from elec_meter import at_rest
    from elec_meter.addons import check_addons
    from elec_meter.errors import ConfigError
    from elec_meter.host.addons import refuse_shared_ports
    from elec_meter.storage import read_config_file

    config, host = read_config_file(file)
    now, warnings = datetime.now(UTC), []
    further = () if host is None else host.addons or ()
    try:
        at_rest.check_whole(config, now)
        notes = [
            note
            for where, addons in (("addons", config.addons), ("host.addons", further))
            for note in check_addons(addons, where=where, is_elsewhere=True, with_others=True)
        ]
        refuse_shared_ports(host, config)
        if host is not None:
            from elec_meter.host.checking import check_host, lapses

            folder = file.resolve().parent
            notes += check_host(host, folder)
            warnings = lapses(host, folder, now)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    if as_json:
        from shared.exact_json import exact_json

        said = {"file": str(file), "meter": _in_words(config), "notes": notes, "warnings": warnings}
        click.echo(exact_json(said))
        return
    for note in notes:
        click.echo(f"Not checked: {file}: {note}.", err=True)
    for warning in warnings:
        click.echo(f"Warning: {file}: {warning}.", err=True)
    click.echo(f"{file}: {_in_words(config)}.")


@command.command(
    epilog=example("elec-meter config show --data home", "elec-meter config show meter.toml --all")
)
@click.argument("file", type=_path, required=False)
@_stored
@json_option
@click.option("--all", "with_defaults", is_flag=True, help="Show what has its default value too.")
def show(file: Path | None, data_dir: Path | None, as_json: bool, with_defaults: bool) -> None:
    """Print the document of a meter, or a file, as TOML."""
    from shared.exact_json import exact_json

    if (file is None) == (data_dir is None):
        raise click.UsageError("Give either FILE or --data DIR.")
    config = _document(file) if file is not None else _stored_document(data_dir)
    if not as_json:
        from elec_meter.config import config_to_toml

        click.echo(config_to_toml(config, defaults=with_defaults), nl=False)
        return
    from elec_meter.config.shape import plain, table_of, without_defaults

    value = plain(config)
    click.echo(exact_json(value if with_defaults else without_defaults(table_of(), value)))


@command.command(
    epilog=example(
        "elec-meter config diff old.toml new.toml", "elec-meter config diff --data home new.toml"
    )
)
@click.argument("documents", nargs=-1, type=_path, metavar="[OLD] NEW")
@_stored
@json_option
def diff(documents: tuple[Path, ...], data_dir: Path | None, as_json: bool) -> None:
    """Say what differs between two documents, and how few bytes the change has.

    OLD and NEW are files, `default` (a meter of which nothing is said) or `demo`. With --data, the
    old one is the meter's.
    """
    from elec_meter.config import differences, encode_change
    from shared.exact_json import exact_json

    if len(documents) != (2 if data_dir is None else 1):
        raise click.UsageError("Give OLD and NEW, or --data DIR and NEW.")
    old = _document(documents[0]) if data_dir is None else _stored_document(data_dir)
    new = _document(documents[-1])
    found, change = differences(old, new), encode_change(old, new)
    if as_json:
        rows = [
            {"path": each.path, "kind": each.kind, "old": each.old, "new": each.new}
            for each in found
        ]
        size = len(change)
        click.echo(exact_json({"differences": rows, "change_bytes": size, "change": change.hex()}))
        return
    for each in found:
        click.echo(str(each))
    if found:
        click.echo(f"The change has {len(change)} bytes.")
    else:
        click.echo("The documents are equal.")


@command.command(epilog=example("elec-meter config history --data home"))
@data_option
@json_option
def history(data_dir: Path, as_json: bool) -> None:
    """Show which documents a meter had, newest first."""
    from elec_meter.control import versions
    from elec_meter.storage.observe import observe
    from shared.exact_json import exact_json

    with observe(data_dir) as storage:
        rows, in_force = versions(storage), storage.config_in_force
    if as_json:
        click.echo(exact_json(rows))
        return
    for row in rows:
        mark = "  in force" if row["in_force"] else ""
        if row["number"] > in_force:
            mark = "  from the next start on"
        click.echo(f"{row['number']}  {row['applied']}  {row['author']}{mark}")


@command.command(epilog=example("elec-meter config rollback 3 --data home"))
@click.argument("number", type=click.IntRange(1))
@data_option
@json_option
def rollback(number: int, data_dir: Path, as_json: bool) -> None:
    """Put the document of a NUMBER of the history in force again, as a new one."""
    from elec_meter import at_rest
    from elec_meter.access import Level
    from elec_meter.control import RollBack
    from elec_meter.storage.observe import observe

    def earlier(config: MeterConfig) -> MeterConfig:
        with observe(data_dir) as storage:
            return storage.load_config(number) or config

    def written(storage: Storage) -> Written:
        return at_rest.roll_back(storage, number, level=Level.SUPPLIER)

    _refuse_bad_modules(data_dir, earlier)
    _have_in_force(data_dir, RollBack(number=number, key=new_key()), written, as_json)


@command.command(epilog=example("elec-meter config schema > meter.schema.json"))
def schema() -> None:
    """Print the JSON schema of the document."""
    from elec_meter.config import config_json_schema
    from shared.exact_json import exact_json

    click.echo(exact_json(config_json_schema(), indent=2))


def _refuse_bad_modules(data_dir: Path, made: Callable[[MeterConfig], MeterConfig]) -> None:
    """Refuse modules that could not work, by the checks of other packages too.

    Those are loaded here: a meter that runs loads no code of others.
    """
    from elec_meter.addons import check_addons
    from elec_meter.config import MeterConfig
    from elec_meter.storage.observe import observe

    if holds_meter(data_dir):
        with observe(data_dir) as storage:
            old = storage.load_config() or MeterConfig()
        check_addons(made(old).addons, unless=old.addons, with_others=True)


def _have_in_force(
    data_dir: Path, request: Request, written: Callable[[Storage], Written], as_json: bool
) -> None:
    from shared.exact_json import exact_json

    def at_rest(storage: Storage) -> dict[str, Any]:
        return {**written(storage)._asdict(), "from": "next start"}

    reply = {"from": "now"} | order(data_dir, request, at_rest)
    if as_json:
        click.echo(exact_json({name: reply[name] for name in ("number", "changed", "from")}))
        return
    what = f"Configuration {reply['number']}"
    if not reply["changed"]:
        click.echo(f"{what} says the same: nothing was changed.")
    elif reply["from"] == "now":
        click.echo(f"{what} is in force: {', '.join(reply['changed'])}.")
    else:
        click.echo(f"{what} is in force from the next start on: {', '.join(reply['changed'])}.")


def _document(source: Path) -> MeterConfig:
    from elec_meter.config import MeterConfig, demo_config
    from elec_meter.storage import read_config

    if str(source) in READY_MADE:
        return demo_config() if str(source) == "demo" else MeterConfig()
    return read_config(source)


def _stored_document(data_dir: Path | None) -> MeterConfig:
    from elec_meter.errors import NotADataDirectoryError
    from elec_meter.storage.observe import observe

    assert data_dir is not None  # the caller's usage error says so
    with observe(data_dir) as storage:
        config = storage.load_config()
    if config is None:
        raise NotADataDirectoryError(f"{data_dir} holds no meter's data yet")
    return config


def _in_words(config: MeterConfig) -> str:
    from elec_meter.config import automatic_screens

    tariff = config.tariff
    screens = len(config.display.scroll) or len(automatic_screens(config))
    parts = [
        _counted(tariff.import_.rates, "import rate"),
        _counted(tariff.export.rates, "export rate"),
        _counted(len(config.gas_units), "gas unit"),
        _counted(len(config.data_channels), "data channel"),
        _counted(screens, "screen"),
    ]
    return f"meter {config.serial} with {', '.join(parts)}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
