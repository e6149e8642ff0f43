from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core import caching as numba_caching

from elec_meter.metrology import caching, folding, kernels
from elec_meter.metrology.jit import kernel

from .extremes import fast_block
from .vectors import traces
from .waves import Wave, metrology_for

ROOT = Path(__file__).parents[3]


def test_interpreter_and_compiler_agree() -> None:
    """Without the JIT every integer is the same, and nothing overflows (warnings are errors).

    Nor is anything written outside an array, which numpy refuses.
    """
    # First, for compiled code would write there and go on.
    interpreted = _traces_with(NUMBA_DISABLE_JIT="1")
    assert interpreted == traces()


def _traces_with(**settings: str) -> object:
    """The vectors of an interpreter with these settings of numba."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.elec_meter.metrology.vectors"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == run.stderr
    return json.loads(run.stdout)


def test_fast_mains_has_more_cycles_than_the_shortest_period_allows() -> None:
    """It is the vector that arrays of cycles with too little room would fail."""
    metrology, block = metrology_for(Wave()), fast_block()
    metrology.process(block)
    held, shortest = 330, 4000 // 70
    assert len(metrology.cycles) > (len(block) + held) // shortest + 1


@pytest.mark.slow
def test_no_index_is_out_of_bounds(tmp_path: Path) -> None:
    """Compiled with checks of every index, vectors are the same and random cuts pass."""
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    assert _traces_with(**checked) == traces()
    cuts = "tests/elec_meter/metrology/test_cuts.py"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", cuts],
        cwd=ROOT,
        env={**os.environ, **checked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == run.returncode, run.stdout


KEPT = ["kernels.advance", "folding.fold", "folding.book"]


def kept_in(folder: Path) -> list[str]:
    """The kernels of which there are an index and compiled code."""
    return [
        name
        for name in KEPT
        if all(any(folder.rglob(f"{name}-*.{kind}")) for kind in ("nbi", "nbc"))
    ]


@pytest.mark.slow
def test_a_command_fills_the_cache(tmp_path: Path) -> None:
    """`python -m elec_meter.metrology` compiles and keeps every kernel, and says that it does."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "elec_meter.metrology"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "compiling what measures, which takes half a minute once\n"
    assert (0, "", said) == (run.returncode, run.stdout, run.stderr)
    assert KEPT == kept_in(tmp_path)


def test_kernels_in_use_are_kept() -> None:
    """What has a cache, and so is compiled when it is imported, is in it: every kernel of them."""
    caches = {
        f"{module.__name__.rsplit('.', 1)[-1]}.{name}": value._cache.cache_path
        for module in (kernels, folding)
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
        and getattr(getattr(value, "_cache", None), "cache_path", None)
    }
    assert KEPT == list(caches)
    (folder,) = set(caches.values())
    assert KEPT == kept_in(Path(folder))


def _stamp(folder: Path) -> object:
    """What numba compares, of a copy of the package in `folder`, to tell whether to compile."""
    spec = importlib.util.spec_from_file_location("copied", folder / "caching.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.BesideCache(_stamp, str(folder / "kernels.py")).get_source_stamp()


def test_a_change_to_what_a_kernel_calls_is_noticed(tmp_path: Path) -> None:
    """Kernels are out of date as soon as any file of the package differs, not only their own."""
    copied = tmp_path / "metrology"
    shutil.copytree(ROOT / "elec_meter" / "metrology", copied)
    before = _stamp(copied)
    assert before == kernels.advance._cache._impl.locator.get_source_stamp()
    lanes = copied / "lanes.py"
    lanes.write_text(lanes.read_text().replace("LANES = 16", "LANES = 32"))
    assert before != _stamp(copied)


def test_no_directory_for_the_cache() -> None:
    """Where nothing can be kept, as for a program without a file, a warning says so."""
    program = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    from elec_meter.metrology.jit import kernel\n"
        "    from numba import int64\n"
        "    double = kernel(int64(int64))(lambda x: 2 * x)\n"
        "print(double(21), *(w.category.__name__ for w in said))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("42 RuntimeWarning\n", "") == (run.stdout, run.stderr)


def _double(value: int) -> int:
    return 2 * value


def _compiled() -> tuple[int, int]:
    """21 times two, and how often that was found compiled."""
    double: Any = kernel(numba.int64(numba.int64))(_double)
    return double(21), sum(double.stats.cache_hits.values())


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_of_the_cache_that_was_cut_off(
    suffix: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compiled anew, silently, and replaced."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert [(42, 0), (42, 1)] == [_compiled(), _compiled()]
    (file,) = tmp_path.rglob(f"*.{suffix}")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    assert [(42, 0), (42, 1)] == [_compiled(), _compiled()]


def test_a_damaged_file_that_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is compiled anew at every start, and a warning says so."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    _compiled()
    (file,) = tmp_path.rglob("*.nbi")
    file.write_bytes(b"")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(numba_caching.IndexDataCacheFile, "_open_for_write", refuse)
    caching.say_uncached.cache_clear()
    with pytest.warns(RuntimeWarning, match="no directory for compiled kernels"):
        assert (42, 0) == _compiled()
    assert b"" == file.read_bytes()


READING = """
import sys
from elec_meter.metrology import Calibration, Metrology, kernels
from elec_meter.sampling import ConstantLoad, SyntheticMains
from shared.timegrid import EPOCH
mains = SyntheticMains(seed=1, anchor_utc=EPOCH, load=ConstantLoad(1000.0))
metrology = Metrology(Calibration.for_converter(mains.converter), rate_hz=4000)
measurement = metrology.process(mains.block(0, 6000))
print(kernels.__file__, round(measurement.quantities.power_w))
"""


def _read_only(folder: Path) -> list[str]:
    """Take away the right to write in `folder`; what a command must begin with to be held to it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555)
    if os.geteuid() != 0:
        return []
    # Root writes anywhere; without this capability it is an owner like any other.
    return ["setpriv", "--bounding-set", "-dac_override"]


@pytest.mark.parametrize(
    "warm", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["warm", "cold"]
)
@pytest.mark.skipif(sys.platform != "linux", reason="takes capabilities away as Linux does")
def test_an_installation_that_can_only_be_read(tmp_path: Path, warm: bool) -> None:
    """It has a right first reading: silently with its own cache, without one after a true warning.

    Nothing can be written beside it, at home or wherever else compiled code could be kept.
    """
    for part in ("elec_meter/metrology", "elec_meter/sampling", "shared"):
        left = shutil.ignore_patterns(*([] if warm else ["*.nb?"]))
        shutil.copytree(ROOT / part, tmp_path / part, ignore=left)
    for name in ("__init__.py", "errors.py", "front_end.py"):
        shutil.copy(ROOT / "elec_meter" / name, tmp_path / "elec_meter")
    hidden = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "PYTHONPATH")
    if warm and not any(tmp_path.rglob("*.nbi")):
        pytest.skip("the kernels in use are kept elsewhere, by NUMBA_CACHE_DIR")
    try:
        run = subprocess.run(
            [*_read_only(tmp_path), sys.executable, "-c", READING],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if k not in hidden} | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for path in (tmp_path, *tmp_path.rglob("*")):
            path.chmod(0o755)
    file, power_w = run.stdout.split()
    assert tmp_path / "elec_meter" / "metrology" / "kernels.py" == Path(file)
    assert 1000 == pytest.approx(int(power_w), abs=20)
    said = "RuntimeWarning: no directory for compiled kernels can be written" in run.stderr
    assert (warm, not warm) == (run.stderr == "", said)
