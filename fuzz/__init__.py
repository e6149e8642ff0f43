"""Bounded fuzzing of everything that reads bytes from outside: typed refusals only."""
