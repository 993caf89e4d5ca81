"""Where a thread waits for the service and meanwhile evaluates its densities.

gRPC's own threads bring what comes from the wire to the desk of the thread that it is for; all work
on it, above all the user's functions, is done there: by the thread that called Client.fit or serve.
"""
from __future__ import annotations

import queue
import time
from typing import Callable


class Desk:
    """The work of one thread, in the order in which it came. Any thread may post."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, task: Callable[[], None]) -> None:
        """Leaves a task for the desk's thread."""
        self._inbox.put(task)

    def work(self, until: Callable[[], bool], deadline: float | None = None) -> bool:
        """Does tasks until one has made `until` true; false at the deadline, of time.monotonic.

        What a task raises comes out of here; the others stay for the next time.
        """
        while not until():
            rest = None if deadline is None else deadline - time.monotonic()
            if rest is not None and rest <= 0:
                return False
            try:
                task = self._inbox.get(timeout=rest)
            except queue.Empty:
                return until()
            task()
        return True
