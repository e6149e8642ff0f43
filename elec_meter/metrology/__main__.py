"""`python -m elec_meter.metrology`: compile the kernels now, so that no meter waits for them."""

from __future__ import annotations

from elec_meter.metrology.pipeline import warm_cache

if __name__ == "__main__":
    warm_cache()
