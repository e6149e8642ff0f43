"""`python -m elec_meter.objects`: the page on every object."""

from __future__ import annotations

import sys

from elec_meter.objects.catalogue import catalogue, complete_config, directory_of

if __name__ == "__main__":
    sys.stdout.write(catalogue(directory_of(complete_config())))
