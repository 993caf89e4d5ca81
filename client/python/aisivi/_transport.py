"""Calls of the service over a gRPC channel."""
from __future__ import annotations

from typing import Any, Iterator

import grpc

from aisivi import _api, _wire
from aisivi.errors import from_grpc

_LOOPBACK = ("127.", "localhost", "[::1]")


def connect(address: str) -> Any:
    """A channel that connects when it is first used."""
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    if address.startswith(_LOOPBACK):
        # A proxy for the outside world does not lead to this machine.
        options.append(("grpc.enable_http_proxy", 0))
    return grpc.insecure_channel(address, options=options)


def _serialize(message: Any) -> bytes:
    return bytes(message.SerializeToString())


class Transport:
    """The methods of the services by name. Threads may share it. Raises AisiviError alone."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def close(self) -> None:
        """Ends the connection; calls that are under way end with CancelledError."""
        self._channel.close()

    def _callable(self, kind: str, service: str, name: str, arrays: bool) -> Any:
        output = _api.class_of(_api.method(service, name).output_type)
        return getattr(self._channel, kind)(
            f"/aisivi.v1.{service}/{name}",
            request_serializer=_serialize,
            response_deserializer=_wire.reader(output) if arrays else output.FromString,
        )

    def unary(self, service: str, name: str, request: Any, timeout: float | None) -> Any:
        """The answer to a request."""
        try:
            return self._callable("unary_unary", service, name, False)(request, timeout=timeout)
        except grpc.RpcError as error:
            raise from_grpc(error) from None

    def upload(
        self, service: str, name: str, requests: Iterator[Any], timeout: float | None
    ) -> Any:
        """The answer to a stream of requests."""
        try:
            return self._callable("stream_unary", service, name, False)(requests, timeout=timeout)
        except grpc.RpcError as error:
            raise from_grpc(error) from None

    def stream(
        self, service: str, name: str, request: Any, timeout: float | None, arrays: bool = False
    ) -> Iterator[Any]:
        """The answers to a request; with `arrays` as _wire.Packed. Leaving it ends the call."""
        call = self._callable("unary_stream", service, name, arrays)(request, timeout=timeout)
        try:
            yield from call
        except grpc.RpcError as error:
            raise from_grpc(error) from None
        finally:
            call.cancel()
