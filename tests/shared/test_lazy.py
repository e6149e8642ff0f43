from __future__ import annotations

import importlib
import sys

import pytest

import collector
import elec_meter
import elec_meter.metrology
import elec_meter.ports
import elec_meter.sampling
from shared import lazy

PACKAGES = [collector, elec_meter, elec_meter.metrology, elec_meter.ports, elec_meter.sampling]


def test_a_module_is_loaded_with_the_first_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither earlier nor for a name that the package has not."""
    monkeypatch.delitem(sys.modules, "shared.obis", raising=False)
    load, names = lazy.loader("shared", {"obis": "Obis ObisError", "units": "kwh_text"})
    assert ["Obis", "ObisError", "kwh_text"] == names()
    with pytest.raises(AttributeError, match=r"^module 'shared' has no attribute 'Gas'$"):
        load("Gas")
    assert "shared.obis" not in sys.modules
    assert importlib.import_module("shared.obis").Obis is load("Obis")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_packages_give_every_name_that_they_list(package: object) -> None:
    """`__all__` and what can be loaded are the same names."""
    listed = package.__all__
    assert sorted(listed) == package.__dir__()
    assert all(getattr(package, name) is not None for name in listed)
