"""The grid of half-hours on which a unit counts, and its counter."""

HALF_HOUR_S = 1_800
HALF_HOUR_MS = 1_800_000
DAY_S = 86_400

COUNT_MASK = 0xFFFFFFFF
COUNT_MODULUS = COUNT_MASK + 1  # counts are cyclic
