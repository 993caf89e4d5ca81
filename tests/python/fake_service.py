"""A service in the test's own process, whose methods the test writes."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np

from aisivi import Client, _api


class FakeService(grpc.GenericRpcHandler):
    """Methods by "Service/Method": functions of (request or requests, context)."""

    def __init__(self, methods, port=0):
        self._methods = methods
        self._server = grpc.server(
            ThreadPoolExecutor(16), handlers=[self], options=[("grpc.so_reuseport", 0)]
        )
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()
        self.client = Client(f"127.0.0.1:{self.port}", timeout=30)

    def service(self, details):
        service, _, name = details.method.rpartition("/")
        service = service.rpartition(".")[2]
        method = self._methods.get(f"{service}/{name}")
        if method is None:
            return None
        described = _api.method(service, name)
        both = {
            "request_deserializer": _api.class_of(described.input_type).FromString,
            "response_serializer": lambda message: message.SerializeToString(),
        }
        if service == "DensityService":
            return grpc.stream_stream_rpc_method_handler(method, **both)
        if name.startswith(("Watch", "Stream", "Download", "Evaluate", "Estimate")):
            return grpc.unary_stream_rpc_method_handler(method, **both)
        return grpc.unary_unary_rpc_method_handler(method, **both)

    def stop(self):
        self.client.close()
        self._server.stop(None).wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def accepted(name="densities/1", dimension=1, values=1):
    response = _api.message("ServeDensityResponse")
    response.accepted.density = name
    response.accepted.dimension, response.accepted.values = dimension, values
    return response


def batch(number, values, score=True, check=False):
    response = _api.message("ServeDensityResponse")
    rows = np.asarray(values, dtype="<f8")
    response.batch.id, response.batch.points = number, len(rows)
    response.batch.values = rows.tobytes()
    response.batch.score, response.batch.check = score, check
    return response


def end(reason):
    response = _api.message("ServeDensityResponse")
    response.end.reason = reason
    return response


def numbers(data):
    return np.frombuffer(data, "<f8")


class OneFit:
    """FitService with one fit, which ends when `finish` is called; `script` serves densities.

    script(requests, context) yields the responses of a ServeDensity; every call of it is counted.
    """

    def __init__(self, script):
        self.created = []
        self.streams = 0
        self._script = script
        self._done = threading.Event()
        self.watched = threading.Event()

    def finish(self, **fields):
        self._fields = {"state": 3, **fields}
        self._done.set()

    def methods(self):
        return {
            "DensityService/ServeDensity": self._serve,
            "FitService/CreateFit": self._create,
            "FitService/WatchFit": self._watch,
            "FitService/GetFit": lambda request, context: self.created[0],
        }

    def _serve(self, requests, context):
        self.streams += 1
        yield from self._script(requests, context)

    def _create(self, request, context):
        request.fit.name = "fits/1"
        self.created.append(request.fit)
        return request.fit

    def _watch(self, request, context):
        self.watched.set()
        yield _api.message("WatchFitResponse", sequence=1, state=2)
        while not self._done.wait(0.02):
            if not context.is_active():
                return
        fit = _api.message("Fit", name="fits/1", **self._fields)
        yield _api.message("WatchFitResponse", sequence=2, state=fit.state, fit=fit)
