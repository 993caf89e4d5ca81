"""The notebook of client/python/examples runs, and shows what it promises."""
from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat

NOTEBOOK = Path(__file__).resolve().parents[2] / "client" / "python" / "examples" / "tour.ipynb"


def test_the_notebook_runs(server, tmp_path, monkeypatch):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells), "outputs are kept"
    monkeypatch.setenv("AISIVI_SERVER", server.address)
    nbclient.NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in cells for output in cell.outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    tables = [o.data["text/html"] for o in outputs if "text/html" in o.get("data", {})]
    assert len(pictures) == 2
    assert any("theta[8]" in table for table in tables)
    assert any("one effect for all" in table and "probability" in table for table in tables)
    assert (tmp_path / "schools.nc").stat().st_size > 0
