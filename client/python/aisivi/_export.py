"""Draws in the forms of other packages, each imported when it is asked for."""
from __future__ import annotations

import importlib
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from aisivi import _api
from aisivi.results import Draws

_INDEXED = re.compile(r"^(.+)\[([^\[\]]+)\]$")
_DATA_GROUPS = {"observed_data": "y", "constant_data": "x"}


def require(module: str, package: str) -> Any:
    """A module that the package can do without; ImportError says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImportError(
            f"this needs {module}: install {package} (Debian) or {module} (elsewhere)"
        ) from None


def dataframe(draws: Draws) -> Any:
    """A pandas.DataFrame: a row for each draw, a column for each coordinate."""
    pandas = require("pandas", "python3-pandas")
    return pandas.DataFrame(draws.values, columns=list(draws.names))


def _variables(names: tuple[str, ...]) -> dict[str, list[int]]:
    """The columns of each variable: "beta[1]" and "beta[2]" are those of "beta"."""
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        match = _INDEXED.match(name)
        columns.setdefault(match.group(1) if match else name, []).append(column)
    return columns


def _attributes() -> dict[str, str]:
    return {
        "inference_library": "aisivi",
        "created_at": datetime.now(timezone.utc).isoformat(),
        "arviz_schema": "InferenceData",
    }


def posterior(draws: Draws) -> Any:
    """An xarray.Dataset with the dimensions chain (1) and draw, and one for indexed coordinates."""
    xarray = require("xarray", "python3-xarray")
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {"chain": [0], "draw": np.arange(len(draws.values))}
    for name, columns in _variables(draws.names).items():
        # A "/" would be a group in netCDF.
        safe = name.replace("/", "_")
        safe = safe if safe not in variables and safe not in coordinates else f"{safe}_"
        values = draws.values[None, :, columns]
        if len(columns) == 1 and name in draws.names:
            variables[safe] = (("chain", "draw"), values[..., 0])
            continue
        dimension = f"{safe}_dim_0"
        matches = [_INDEXED.match(draws.names[column]) for column in columns]
        labels = [m.group(2) if m else draws.names[c] for m, c in zip(matches, columns)]
        integers = all(label.isdigit() for label in labels)
        coordinates[dimension] = [int(label) for label in labels] if integers else labels
        variables[safe] = (("chain", "draw", dimension), values)
    return xarray.Dataset(variables, coordinates, _attributes())


def sample_stats(draws: Draws) -> Any:
    """lp, log_q and log_weight, those that there are, as an xarray.Dataset."""
    xarray = require("xarray", "python3-xarray")
    columns = {"lp": draws.log_p, "log_q": draws.log_q, "log_weight": draws.log_weight}
    variables = {n: (("chain", "draw"), v[None, :]) for n, v in columns.items() if v.size}
    coordinates = {"chain": [0], "draw": np.arange(len(draws.values))}
    return xarray.Dataset(variables, coordinates, _attributes())


def _data(target: Any, field: str) -> Any:
    """An inline y or x of a TargetSpec; None when it has none."""
    chosen = getattr(target, target.WhichOneof("target"))
    if field not in chosen.DESCRIPTOR.fields_by_name:
        return None
    value = getattr(chosen, field)
    if field == "y":
        return np.array(value) if len(value) else None
    if not value.rows:
        return None
    return np.array(value.values).reshape(value.rows, value.columns)


def write_netcdf(path: Path, draws: Draws, target: Any) -> None:
    """Writes the groups of ArviZ's InferenceData."""
    xarray = require("xarray", "python3-xarray")
    require("h5netcdf", "python3-h5netcdf")
    groups = {"posterior": posterior(draws), "sample_stats": sample_stats(draws)}
    for group, field in _DATA_GROUPS.items():
        values = _data(target, field)
        if values is not None:
            dimensions = tuple(f"{field}_dim_{axis}" for axis in range(values.ndim))
            groups[group] = xarray.Dataset({field: (dimensions, values)}, attrs=_attributes())
    for index, (group, dataset) in enumerate(groups.items()):
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
