"""`python -m elec_meter.metrology`: compile the kernels now, so that no meter waits for them."""

from __future__ import annotations

import sys

from elec_meter.metrology.pipeline import warm_cache

if __name__ == "__main__":
    sys.stderr.write("compiling what measures, which takes half a minute once\n")
    warm_cache()
