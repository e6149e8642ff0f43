"""The command `elec-meter`: starts fast, and shows no traceback for a user's error."""

from __future__ import annotations

import sqlite3
from importlib import import_module
from typing import Any

import click

from collector import CollectorError
from elec_meter.errors import MeterError
from shared.errors import SharedError
from shared.options import example, propose_nearest
from shared.standard_output import PrintingGroup

COMMANDS = (
    "demo",
    "run",
    "replay",
    "show",
    "plot",
    "export",
    "audit",
    "repair",
    "config",
    "control",
    "accuracy",
    "calibrate",
    "estate",
)


class PlainErrors(PrintingGroup):
    """Loads a command when it is asked for, and says a refusal in one sentence with exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Names in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click calls it so
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"elec_meter.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; of a name that is nobody's the nearest is proposed."""
        propose_nearest(ctx, args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our own errors become one sentence, anything else is a bug and shows."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever reads has had enough: no word is needed
        except sqlite3.DatabaseError as error:  # found only when that page was read
            raise click.ClickException(
                f"the database is damaged: {error}; `elec-meter repair` saves what is left."
            ) from error
        except (MeterError, CollectorError, SharedError, OSError) as error:
            raise click.ClickException(f"{_sentence(error).rstrip('.')}.") from error


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the operating system'}: {error.strerror}"
    return str(error)


@click.group(
    cls=PlainErrors,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example(
        "elec-meter demo --speed 0 --start 2025-10-25T23:00:00Z --for 26h --data home",
        "elec-meter show profile --data home --date 2025-10-26",
    ),
)
@click.version_option(package_name="halfhourly", prog_name="elec-meter")
def main() -> None:
    """A UK smart electricity meter, with its gas pulse unit and the collector between them."""


if __name__ == "__main__":
    main()
