"""Who may read and change what: one policy for FLAG, DLMS and the panel. Pure."""

from elec_meter.access.policy import Level, level_to_change, may_read

__all__ = ["Level", "level_to_change", "may_read"]
