"""Who may read and change what: one policy for FLAG, DLMS and the panel. Pure."""

from elec_meter.access.policy import Level, may_read

__all__ = ["Level", "may_read"]
