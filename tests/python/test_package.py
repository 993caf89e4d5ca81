"""The package as such: types, wheel, editable install, import."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import aisivi, sys; print(aisivi.__file__); aisivi._api.message('Fit', name='fits/1')"


@pytest.fixture
def sources(tmp_path):
    """A copy, since a build writes beside its sources."""
    copy = tmp_path / "sources"
    ignored = shutil.ignore_patterns("build", "*.egg-info", "api.binpb", "__pycache__")
    shutil.copytree(ROOT / "client" / "python", copy / "client" / "python", ignore=ignored)
    shutil.copytree(ROOT / "proto", copy / "proto", ignore=ignored)
    return copy / "client" / "python"


def built(sources, folder, kind):
    """The wheel that a front end would get from setuptools, with no network."""
    program = f"import sys; from setuptools import build_meta; build_meta.{kind}(sys.argv[1])"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=sources, check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


def imported_from(site):
    program = f"import site; site.addsitedir({str(site)!r}); {PROGRAM}"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, text=True,
        capture_output=True,
    )
    return Path(done.stdout.strip())


def test_a_wheel_has_all_that_is_imported(sources, tmp_path):
    wheel = built(sources, tmp_path / "wheels", "build_wheel")
    names = set(wheel.namelist())
    assert {"aisivi/py.typed", "aisivi/api.binpb"} <= names
    modules = {f"aisivi/{file.name}" for file in (sources / "aisivi").glob("*.py")}
    assert modules <= names
    wheel.extractall(tmp_path / "site")
    assert imported_from(tmp_path / "site").is_relative_to(tmp_path / "site")


def test_an_editable_install_is_the_sources(sources, tmp_path):
    built(sources, tmp_path / "wheels", "build_editable").extractall(tmp_path / "site")
    assert imported_from(tmp_path / "site").is_relative_to(sources)


def test_the_types_are_strict(sources, tmp_path):
    done = subprocess.run(
        ["mypy", "--cache-dir", str(tmp_path / "cache")], cwd=sources, text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_is_lazy():
    """What takes long to import is imported when it is asked for."""
    program = (
        "import sys, aisivi\n"
        "slow = {'pandas', 'xarray', 'h5netcdf', 'torch', 'jax', 'arviz', 'IPython', 'matplotlib'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
