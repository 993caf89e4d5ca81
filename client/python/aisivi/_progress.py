"""How a waiting program shows a fit's progress: a bar in terminals and notebooks, else lines."""
from __future__ import annotations

import html
import shutil
import sys
from typing import Any, TextIO

from aisivi import _api


def share(progress: Any) -> float:
    """The share of the phase that is done, in [0, 1]."""
    if progress.total_iterations <= 0:
        return 0.0
    return min(max(float(progress.iteration) / float(progress.total_iterations), 0.0), 1.0)


def title(event: Any) -> str:
    """What the fit is doing, for instance "training"."""
    state = _api.enum_text(event, "state")
    phase = _api.enum_text(event.progress, "phase")
    return (state if state == "queued" or not phase else phase).replace("_", " ")


def facts(progress: Any) -> str:
    """The numbers worth telling."""
    parts = []
    if progress.total_iterations > 0:
        parts.append(f"{progress.iteration}/{progress.total_iterations}")
    if progress.HasField("log_z"):
        parts.append(f"log Z {progress.log_z:.3f}")
    if progress.HasField("elbo"):
        parts.append(f"ELBO {progress.elbo:.3f}")
    if progress.skipped_steps > 0:
        parts.append(f"{progress.skipped_steps} steps skipped")
    return "  ".join(parts)


class View:
    """Shows nothing."""

    def show(self, event: Any) -> None:
        """Shows an event of WatchFit."""

    def finish(self) -> None:
        """Nothing more comes."""


class BarView(View):
    """One line of a terminal that is written over and over."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: Any) -> None:
        room = shutil.get_terminal_size().columns - 1
        length = 30
        filled = round(length * share(event.progress))
        bar = "━" * filled + "─" * (length - filled)
        line = f"{title(event):<16}{bar}  {facts(event.progress)}"[:room]
        self._out.write(f"\r{line}\x1b[K")
        self._out.flush()

    def finish(self) -> None:
        self._out.write("\r\x1b[K")
        self._out.flush()


class LinesView(View):
    """A line for each phase and each tenth of it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last: tuple[str, int] | None = None

    def show(self, event: Any) -> None:
        now = (title(event), int(10 * share(event.progress)))
        if now == self._last or event.HasField("fit"):
            return
        self._last = now
        print(f"{now[0]}  {facts(event.progress)}".rstrip(), file=self._out, flush=True)


class NotebookView(View):
    """A bar below the cell of a notebook."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._handle = display(HTML(""), display_id=True)

    def show(self, event: Any) -> None:
        text = html.escape(f"{title(event)}  {facts(event.progress)}")
        bar = f'<progress value="{share(event.progress):.4f}" max="1"></progress> {text}'
        self._handle.update(self._html(bar))

    def finish(self) -> None:
        self._handle.update(self._html(""))


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def view_for(out: TextIO) -> View:
    """The view that suits where the program runs."""
    if _in_notebook():
        return NotebookView()
    return BarView(out) if out.isatty() else LinesView(out)
