"""Calls of the service over a gRPC channel."""
from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from typing import Any, Callable, Iterator

import grpc

from aisivi import _api, _wire
from aisivi._desk import Desk
from aisivi.errors import from_grpc

_LOOPBACK = ("127.", "localhost", "[::1]")


def connect(address: str) -> Any:
    """A channel that connects when it is first used."""
    options = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        # For arrays: whole frames, read in large pieces.
        ("grpc.http2.max_frame_size", 1 << 20),
        ("grpc.experimental.tcp_read_chunk_size", 1 << 18),
    ]
    if address.startswith(_LOOPBACK):
        # A proxy for the outside world does not lead to this machine.
        options.append(("grpc.enable_http_proxy", 0))
    return grpc.insecure_channel(address, options=options)


def _serialize(message: Any) -> bytes:
    return message if isinstance(message, bytes) else bytes(message.SerializeToString())


def _nothing() -> None:
    """A task that wakes a desk."""


class Transport:
    """The methods of the services by name. Threads may share it. Raises AisiviError alone.

    A thread that serves densities answers for them while it waits here.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._of_thread = threading.local()

    def close(self) -> None:
        """Ends the connection; calls that are under way end with CancelledError."""
        self._channel.close()

    def desk(self) -> Desk:
        """The desk of this thread, from now on."""
        if self._desk is None:
            self._of_thread.desk = Desk()
        found: Desk = self._of_thread.desk
        return found

    @property
    def _desk(self) -> Desk | None:
        return getattr(self._of_thread, "desk", None)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        if self._desk is None:
            time.sleep(seconds)
        else:
            self._desk.work(lambda: False, time.monotonic() + seconds)

    def _callable(
        self, kind: str, service: str, name: str, read: Callable[[Any], Any] | None = None
    ) -> Any:
        """read: what makes a reader of the class of the responses; default: its own."""
        output = _api.class_of(_api.method(service, name).output_type)
        return getattr(self._channel, kind)(
            f"/aisivi.v1.{service}/{name}",
            request_serializer=_serialize,
            response_deserializer=output.FromString if read is None else read(output),
        )

    def unary(self, service: str, name: str, request: Any, timeout: float | None) -> Any:
        """The answer to a request."""
        call = self._callable("unary_unary", service, name)
        try:
            if self._desk is None:
                return call(request, timeout=timeout)
            return _awaited(self._desk, call.future(request, timeout=timeout))
        except grpc.RpcError as error:
            raise from_grpc(error) from None

    def upload(
        self, service: str, name: str, requests: Iterator[Any], timeout: float | None
    ) -> Any:
        """The answer to a stream of requests."""
        try:
            return self._callable("stream_unary", service, name)(requests, timeout=timeout)
        except grpc.RpcError as error:
            raise from_grpc(error) from None

    def stream(
        self, service: str, name: str, request: Any, timeout: float | None, arrays: bool = False
    ) -> Iterator[Any]:
        """The answers to a request; with `arrays` as _wire.Packed. Leaving it ends the call."""
        call = self._callable("unary_stream", service, name, _wire.reader if arrays else None)(request, timeout=timeout)
        try:
            yield from call if self._desk is None else _brought(self._desk, call)
        except grpc.RpcError as error:
            raise from_grpc(error) from None
        finally:
            call.cancel()

    def exchange(
        self, service: str, name: str, read: Callable[[Any], Any], requests: Iterator[Any]
    ) -> Any:
        """The call of a stream in both directions: gRPC's own, which raises its own errors.

        Requests may be bytes already. read(class of the responses): what reads one.
        """
        return self._callable("stream_stream", service, name, read)(requests)


def _awaited(desk: Desk, call: Any) -> Any:
    """A future's result, with work at the desk until it is there."""
    call.add_done_callback(lambda _: desk.post(_nothing))
    try:
        desk.work(call.done)
        return call.result()
    finally:
        call.cancel()


def _brought(desk: Desk, call: Any) -> Iterator[Any]:
    """What a stream brings, with work at the desk in between."""
    arrived: deque[Any] = deque()
    end: list[grpc.RpcError | None] = []

    def read() -> None:
        error = None
        try:
            for response in call:
                desk.post(partial(arrived.append, response))
        except grpc.RpcError as caught:
            error = caught
        desk.post(partial(end.append, error))

    threading.Thread(target=read, name="aisivi-stream", daemon=True).start()
    while True:
        desk.work(lambda: bool(arrived or end))
        if not arrived:
            break
        yield arrived.popleft()
    if end[0] is not None:
        raise end[0]
