"""`python -m pulse_unit`."""

from pulse_unit.cli.main import main

if __name__ == "__main__":
    main()
