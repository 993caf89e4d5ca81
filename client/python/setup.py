"""Builds the package with a description of the API that is made from proto/."""
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate_api import generate  # noqa: E402  found by the line above


class BuildWithApi(build_py):
    """`build_py`, with aisivi/api.binpb; beside the sources for an editable install."""

    def run(self) -> None:
        super().run()
        root = HERE if getattr(self, "editable_mode", False) else Path(self.build_lib)
        generate(HERE.parents[1] / "proto", root / "aisivi" / "api.binpb")


setup(cmdclass={"build_py": BuildWithApi})
