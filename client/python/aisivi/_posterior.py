"""Requests to PosteriorService, their chunks put together."""
from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np

from aisivi import _api
from aisivi._settings import set_matrix
from aisivi._transport import Transport
from aisivi.results import Draws, Floats
from aisivi.variables import Variable, fitting

_SERVICE = "PosteriorService"


def stream_draws(
    transport: Transport, request: Any, variables: Sequence[Variable], timeout: float | None
) -> Draws:
    """All draws that a StreamDrawsRequest asks for; `variables`: what is known of the columns."""
    names: tuple[str, ...] = ()
    parts: dict[str, list[Floats]] = {"values": [], "log_p": [], "log_q": [], "log_weight": []}
    for chunk in transport.stream(_SERVICE, "StreamDraws", request, timeout, arrays=True):
        names = names or tuple(chunk.message.coordinate_names)
        for name, found in parts.items():
            found.append(chunk.arrays[name])
    joined = {name: np.concatenate(found or [np.empty(0)]) for name, found in parts.items()}
    values = joined.pop("values").reshape(-1, max(len(names), 1))
    return Draws(names=names, values=values, **joined, variables=fitting(variables, names))


def points_of(z: Any, names: Sequence[str]) -> Any:
    """Points as an array: of coordinates by their names, the numbers side by side."""
    if not isinstance(z, Mapping):
        return z
    if set(z) != set(names):
        raise ValueError(
            "z: not the coordinates by their names: draws(unconstrained=True) answers them"
        )
    return np.stack([np.asarray(z[name], dtype=np.float64) for name in names], axis=-1)


def _at_points(
    transport: Transport, method: str, points: Any, field: str, fields: dict[str, Any],
    timeout: float | None,
) -> Floats:
    request = _api.message(_api.method(_SERVICE, method).input_type.name, **fields)
    set_matrix(request.points, "points", points)
    chunks = transport.stream(_SERVICE, method, request, timeout, arrays=True)
    return np.concatenate([chunk.arrays[field] for chunk in chunks] or [np.empty(0)])


def log_density(
    transport: Transport, points: Any, fields: dict[str, Any], timeout: float | None
) -> Any:
    """log q at one point (D entries) or N points (N×D): a number, or N of them."""
    rows = np.atleast_2d(np.asarray(points, dtype=np.float64))
    values = _at_points(transport, "EvaluateLogDensity", rows, "log_q", fields, timeout)
    return float(values[0]) if np.ndim(points) == 1 else values


def score(
    transport: Transport, points: Any, fields: dict[str, Any], timeout: float | None
) -> Floats:
    """∇ log q at such points, in their shape."""
    rows = np.atleast_2d(np.asarray(points, dtype=np.float64))
    values = _at_points(transport, "EvaluateScore", rows, "score", fields, timeout)
    return values.reshape(np.shape(points))
