"""The README's Python runs."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def run(server, folder, index):
    programs = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(programs) == 2
    done = subprocess.run(
        [sys.executable, "-c", programs[index]], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "AISIVI_SERVER": server.address}, timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_example_runs(server, tmp_path):
    output = run(server, tmp_path, 0)
    assert re.search(r"^unit noise .*\d ± ", output, re.MULTILINE), output
    assert re.search(r"^free noise .*\d ± ", output, re.MULTILINE), output


def test_the_second_example_runs(server, tmp_path):
    output = run(server, tmp_path, 1)
    assert re.search(r"^log evidence -?\d+\.\d+ ± \d+\.\d+$", output, re.MULTILINE), output
