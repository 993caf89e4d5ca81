"""Draws in the forms of other packages, each imported when it is asked for."""
from __future__ import annotations

import importlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from aisivi import _api
from aisivi.results import Draws
from aisivi.variables import arrays, fitting


def require(module: str, package: str) -> Any:
    """A module that the package can do without; ImportError says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        debian = f"{package} (Debian) or {module} (elsewhere)" if package else f"{module} (by pip)"
        raise ImportError(f"this needs {module}: install {debian}") from None


def dataframe(draws: Draws) -> Any:
    """A pandas.DataFrame: a row for each draw, a column for each number."""
    pandas = require("pandas", "python3-pandas")
    return pandas.DataFrame(draws.values, columns=list(draws.names))


def _attributes() -> dict[str, str]:
    return {
        "inference_library": "aisivi",
        "created_at": datetime.now(timezone.utc).isoformat(),
        "arviz_schema": "InferenceData",
    }


def _free(name: str, *taken: dict[str, Any]) -> str:
    """The name as netCDF can have it: a "/" would be a group there."""
    safe = name.replace("/", "_")
    while any(safe in names for names in taken):
        safe += "_"
    return safe


def posterior(draws: Draws) -> Any:
    """An xarray.Dataset with the dimensions chain (1) and draw, and one for each index."""
    xarray = require("xarray", "python3-xarray")
    found: dict[str, Any] = {}
    coordinates: dict[str, Any] = {"chain": [0], "draw": np.arange(len(draws.values))}
    values = arrays(draws)
    for variable in fitting(draws.variables, draws.names):
        name = _free(variable.name, found, coordinates)
        dimensions = [f"{name}_dim_{axis}" for axis in range(len(variable.shape))]
        for dimension, size in zip(dimensions, variable.shape):
            coordinates[dimension] = np.arange(1, size + 1)
        if variable.labels and len(variable.shape) == 1:
            coordinates[dimensions[0]] = list(variable.labels)
        found[name] = (("chain", "draw", *dimensions), values[variable.name][None])
    return xarray.Dataset(found, coordinates, _attributes())


def sample_stats(draws: Draws) -> Any:
    """lp, log_q and log_weight, those that there are, as an xarray.Dataset."""
    xarray = require("xarray", "python3-xarray")
    columns = {"lp": draws.log_p, "log_q": draws.log_q, "log_weight": draws.log_weight}
    variables = {n: (("chain", "draw"), v[None, :]) for n, v in columns.items() if v.size}
    coordinates = {"chain": [0], "draw": np.arange(len(draws.values))}
    return xarray.Dataset(variables, coordinates, _attributes())


def _inline(target: Any) -> dict[str, Any]:
    """The vectors and matrices of a TargetSpec, and the data of a Stan program, by name."""
    chosen = getattr(target, target.WhichOneof("target"))
    if target.WhichOneof("target") == "stan":
        return {name: _stan_value(v) for name, v in json.loads(chosen.data or "{}").items()}
    found = {}
    for field, value in chosen.ListFields():
        if field.name == "y":
            found["y"] = np.array(value)
        elif field.name == "x":
            found["x"] = np.array(value.values).reshape(value.rows, value.columns)
    return found


def _stan_value(value: Any) -> Any:
    """An array of JSON's numbers and of the texts that stand for others."""
    array = np.array(value)
    return array.astype(np.float64) if array.dtype.kind == "U" else array


def groups(draws: Draws, target: Any, observed: Sequence[str]) -> dict[str, Any]:
    """The groups of ArviZ's InferenceData, each an xarray.Dataset."""
    xarray = require("xarray", "python3-xarray")
    found = {"posterior": posterior(draws), "sample_stats": sample_stats(draws)}
    data: dict[str, dict[str, Any]] = {"observed_data": {}, "constant_data": {}}
    for name, values in _inline(target).items():
        dimensions = tuple(f"{name}_dim_{axis}" for axis in range(values.ndim))
        group = "observed_data" if name in observed else "constant_data"
        data[group][name] = (dimensions, values)
    for group, variables in data.items():
        if variables:
            found[group] = xarray.Dataset(variables, attrs=_attributes())
    return found


def write_netcdf(path: Path, datasets: dict[str, Any]) -> None:
    """Writes such groups."""
    for index, (group, dataset) in enumerate(datasets.items()):
        dataset.to_netcdf(path, mode="a" if index else "w", group=group, engine="h5netcdf")


def history(reports: Any) -> dict[str, Any]:
    """Training curves as arrays by name, a number for each report; NaN where it is not known."""
    curves: dict[str, Any] = {
        "phase": np.array([_api.enum_text(r, "phase") for r in reports], dtype=object),
        "iteration": np.array([r.iteration for r in reports], dtype=np.int64),
        "elapsed": np.array([_api.seconds(r.elapsed) for r in reports], dtype=np.float64),
    }
    for name in ("loss", "flow_loss", "proposal_ess", "score_residual", "elbo", "log_z"):
        values = [getattr(r, name) if r.HasField(name) else np.nan for r in reports]
        curves[name] = np.array(values, dtype=np.float64)
    return curves
