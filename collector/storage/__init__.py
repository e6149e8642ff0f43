"""The collector's tables in SQLite, beside its journal."""
