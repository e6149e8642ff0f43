"""DLMS/COSEM: a rendering of the directory (IEC 62056-5-3, -46, -47)."""
