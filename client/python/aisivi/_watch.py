"""Following a fit to its end, across broken connections."""
from __future__ import annotations

import time
from typing import Any, Callable

from aisivi import _api
from aisivi._transport import Transport
from aisivi.errors import CancelledError, DeadlineExceededError, UnavailableError

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds
_ENDED = ("succeeded", "failed", "cancelled")


def follow(
    transport: Transport,
    name: str,
    on_event: Callable[[Any], None],
    timeout: float | None,
    patience: float,
) -> Any:
    """Calls `on_event` with every WatchFitResponse; returns the Fit as it ended.

    A connection that breaks is taken up again where it broke for `patience` seconds.
    DeadlineExceededError after `timeout` seconds; whatever ends the wait, the fit goes on.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    sequence, pause = 0, _SHORTEST_PAUSE
    broken_since: float | None = None
    while True:
        request = _api.message("WatchFitRequest", name=name, after_sequence=sequence)
        error: Exception = UnavailableError("the stream keeps breaking")
        try:
            for event in transport.stream("FitService", "WatchFit", request, left(deadline, name)):
                sequence, pause, broken_since = event.sequence, _SHORTEST_PAUSE, None
                on_event(event)
                if event.HasField("fit"):
                    return event.fit
            # A stream that ends well without the last event may have had nothing new to tell.
            request = _api.message("GetFitRequest", name=name)
            fit = transport.unary("FitService", "GetFit", request, left(deadline, name))
            if _api.enum_text(fit, "state") in _ENDED:
                return fit
        except (UnavailableError, CancelledError) as caught:
            # No accident when it shuts down: nothing will answer until someone starts it again.
            if caught.reason == "SHUTTING_DOWN":
                raise
            error = caught
        now = time.monotonic()
        broken_since = now if broken_since is None else broken_since
        if now - broken_since >= patience:
            raise error
        rest = left(deadline, name)
        transport.sleep(pause if rest is None else min(pause, rest))
        pause = min(2 * pause, _LONGEST_PAUSE)


def left(deadline: float | None, name: str) -> float | None:
    """Seconds until the deadline; DeadlineExceededError when there are none."""
    if deadline is None:
        return None
    rest = deadline - time.monotonic()
    if rest <= 0:
        raise DeadlineExceededError(f"{name} has not ended within the timeout; it goes on")
    return rest
