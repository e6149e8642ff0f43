"""The command `elec-meter`. Exit codes: 0 done, 1 refused with one plain sentence, 2 misuse."""
