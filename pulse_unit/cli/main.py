"""The command `pulse-unit`. Exit codes: 0 done, 1 refused with one plain sentence, 2 misuse."""

import os
import sys
from typing import Any

import click

from pulse_unit.cli.battery import battery
from pulse_unit.cli.firmware import firmware
from pulse_unit.cli.label import label
from pulse_unit.cli.run import run
from pulse_unit.cli.sim import sim
from pulse_unit.cli.telegram import telegram


class _Commands(click.Group):
    """Commands whose output may find no room: one sentence, as of any other file."""

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Group`."""
        try:
            told = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # a reader who has seen enough; click ends quietly
            raise
        except OSError as error:
            if error.filename is not None:  # no stream
                raise
            with open(os.devnull, "wb") as nowhere:  # where what is left goes when Python ends
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            raise click.ClickException(
                f"Standard output cannot be written: {error.strerror}."
            ) from error
        return told


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="halfhourly")
def main() -> None:
    """Make, try and plan what a pulse unit is and says, on a PC."""


for command in (battery, firmware, label, run, sim, telegram):
    main.add_command(command)


if __name__ == "__main__":
    main()
