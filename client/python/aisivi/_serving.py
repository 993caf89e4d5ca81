"""The answering side of density_service.proto: one stream, taken up again when it breaks."""
from __future__ import annotations

import queue
import threading
import time
import weakref
from functools import partial
from typing import Any, Callable

import grpc

from aisivi import _api, _memory, _wire
from aisivi._desk import Desk
from aisivi.density import Density
from aisivi.errors import AisiviError, DeadlineExceededError, NotFoundError, UnavailableError
from aisivi.errors import from_grpc

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts
_LONGEST_ERROR = 2000  # characters of an exception that are sent
# Codes of streams that are worth another: the connection's, and those of a late answer.
_PASSING = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED")


# A ServeDensityResponse and, apart from it, the values of its batch.
read_response = partial(_wire.bytes_apart, outer="batch", inner="values")


class Serving:
    """A density that one server can ask for. Its methods are for the desk's thread, but `close`.

    name   "densities/{id}", once `open` has returned
    ended  why it is not served any more, or None; "" where the server said nothing
    """

    def __init__(
        self, desk: Desk, connect: Callable[[Any], Any], density: Density, name: str = "",
        patience: float | None = None,
    ) -> None:
        """`connect` begins a ServeDensity with an iterator of requests.

        patience: seconds after which a connection that stays broken is an error; None: never.
        """
        self.name = name
        self.ended: str | None = None
        self.error: AisiviError | None = None
        self._desk = desk
        self._connect = connect
        self._density = density
        self._patience = patience
        self._accepted = False
        self._hands_over = False  # whether the threads that read streams hand them to serve()
        self._handed: tuple[Any, int] | None = None  # a call and its stream
        self._stream = 0  # counts them; what an earlier one still brings is passed over
        self._call: Any = None
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._heard = time.monotonic()
        self._pause = _SHORTEST_PAUSE
        self._broken_since: float | None = None
        self._last_words: str | None = None  # of the present stream

    def open(self, timeout: float | None) -> None:
        """Offers the density and answers the server's tests of it.

        DeadlineExceededError when the server is silent for `timeout` seconds; what is wrong with
        the density as DensityError, or InvalidArgumentError where the server found it.
        """
        _memory.keep_temporaries()
        self._begin()
        try:
            while not self._accepted:
                deadline = None if timeout is None else self._heard + timeout
                before = self._heard
                done = self._desk.work(lambda: self._accepted or self._heard != before, deadline)
                if not done:
                    raise DeadlineExceededError("the server does not answer to the density")
                if self.ended is not None:
                    raise self.error or UnavailableError(self.ended or "the server ended it")
        except BaseException:
            self.close()
            raise

    def serve(self) -> None:
        """Answers until it has ended. Other work at the desk waits for that."""
        self._hands_over = True
        while self.ended is None:
            self._desk.work(lambda: self.ended is not None or self._handed is not None)
            if self._handed is not None:
                (call, stream), self._handed = self._handed, None
                # Read here: a batch then does not go by way of another thread.
                self._broke(self._read(call, stream, self._take), stream)

    def close(self) -> None:
        """Ends the stream. Any thread may."""
        if self.ended is None:
            self.ended = "closed"
        self._stream += 1
        self._outbox.put(None)
        if self._call is not None:
            self._call.cancel()

    def _begin(self) -> None:
        self._stream += 1
        self._last_words = None
        outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        outbox.put(self._density.offer(self.name))
        self._outbox = outbox
        self._call = self._connect(iter(outbox.get, None))
        # The iterator's thread goes with its call.
        self._call.add_done_callback(lambda _: outbox.put(None))
        reader = threading.Thread(
            target=self._bring, args=(self._call, self._stream), name="aisivi-density", daemon=True
        )
        reader.start()

    def _bring(self, call: Any, stream: int) -> None:
        """On a thread of its own: brings what comes to the desk."""
        handed = False

        def bring(received: tuple[Any, memoryview | None], stream: int) -> bool:
            nonlocal handed
            handed = self._hands_over and received[0].WhichOneof("message") == "batch"
            self._desk.post(partial(self._take, received, stream))
            return handed

        error = self._read(call, stream, bring)
        if handed:
            self._desk.post(partial(self._hand_over, call, stream))
        else:
            self._desk.post(partial(self._broke, error, stream))

    def _hand_over(self, call: Any, stream: int) -> None:
        self._handed = call, stream

    def _read(
        self, call: Any, stream: int, take: Callable[[Any, int], bool | None]
    ) -> AisiviError | None:
        """Has `take` what comes until it says True or the stream ends; what it ended with."""
        try:
            for response in call:
                if take(response, stream):
                    break
        except grpc.RpcError as caught:
            return from_grpc(caught)
        return None

    def _take(self, received: tuple[Any, memoryview | None], stream: int) -> None:
        if stream != self._stream:
            return
        response, values = received
        kind = response.WhichOneof("message")
        try:
            if kind == "accepted":
                self.name = response.accepted.density
                self._accepted = True
                self._pause, self._broken_since = _SHORTEST_PAUSE, None
            elif kind == "batch":
                self._answer(response.batch, values, stream)
            elif kind == "end":
                # The status that follows says whether for good.
                self._last_words = response.end.reason
                self._outbox.put(None)
        finally:
            self._heard = time.monotonic()

    def _answer(self, batch: Any, values: memoryview | None, stream: int) -> None:
        try:
            answer = self._density.answer(batch, values)
        except KeyboardInterrupt:
            # Whoever waits next answers it.
            self._desk.post(partial(self._answer, batch, values, stream))
            raise
        except BaseException as error:
            refusal = _api.message("ServeDensityRequest")
            refusal.answer.id = batch.id
            refusal.answer.error = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
            self._outbox.put(refusal)
            raise
        self._outbox.put(answer)

    def _broke(self, error: AisiviError | None, stream: int) -> None:
        if stream != self._stream or self.ended is not None:
            return
        self._heard = time.monotonic()
        if error is None:
            passing = self._last_words is None
        else:
            passing = error.code in _PASSING and error.reason != "SHUTTING_DOWN"
        if not self._accepted or not passing:
            self._end(error)
            return
        if self._broken_since is None:
            self._broken_since = self._heard
        if self._patience is not None and self._heard - self._broken_since >= self._patience:
            self._end(error)
            return
        again = partial(self._desk.post, partial(self._again, stream))
        timer = threading.Timer(self._pause, again)
        timer.daemon = True
        timer.start()
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _again(self, stream: int) -> None:
        if stream == self._stream and self.ended is None:
            self._begin()

    def _end(self, error: AisiviError | None) -> None:
        """For good. That nobody knows the density any more is told by the fits that ended so."""
        self.error = error
        self.ended = (self._last_words or "") if error is None else error.message
        if error is not None and self._accepted and not isinstance(error, NotFoundError):
            raise error


class Served:
    """Keeps a density served for as long as somebody holds this, or until the server ends it."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.thread = threading.get_ident()
        weakref.finalize(self, serving.close)
