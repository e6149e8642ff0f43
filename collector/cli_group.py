"""How `collector` finds its commands: late, so that `--help` is fast; a refusal is one sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import click

from shared.errors import SharedError
from shared.options import propose_nearest
from shared.standard_output import PrintingGroup

from .errors import CollectorError

MODULES: Final = {
    "scan": "cli_scan",
    "pair": "cli_pair",
    "exchange": "cli_pair:exchange",
    "unpair": "cli_pair:unpair",
    "units": "cli_show:units",
    "events": "cli_show:events",
    "certificate": "cli_show:certificate",
    "run": "cli_run",
    "profile": "cli_show:profile",
    "energy": "cli_energy",
    "calorific": "cli_energy:calorific",
    "export": "cli_show:export",
}


class Commands(PrintingGroup):
    """Loads a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which an installer meets them."""
        return [*MODULES, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in MODULES:
            return super().get_command(ctx, cmd_name)
        module, _, name = MODULES[cmd_name].partition(":")
        command = getattr(import_module(f"collector.{module}"), name or "command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; of a name that is nobody's the nearest is proposed."""
        propose_nearest(ctx, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a refusal becomes one sentence, anything else is a bug and shows."""
        try:
            return super().invoke(ctx)
        except (CollectorError, SharedError) as error:
            raise click.ClickException(f"{error}.") from error
