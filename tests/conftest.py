"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more about the computer than about the code.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("suite")
