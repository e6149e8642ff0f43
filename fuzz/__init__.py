"""Bounded fuzzing of what reads bytes from outside: typed refusals only, in bounded memory."""
