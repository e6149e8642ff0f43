"""`python -m collector` is the command `collector`."""

from collector.cli import main

main(prog_name="collector")
