"""Stan programs as targets, and their data as CmdStan reads them."""
from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

import numpy as np

from aisivi.errors import wrong_field


@dataclass(frozen=True, init=False)
class Stan:
    """A Stan program, which the server compiles: client.fit(Stan("model.stan"), data={…}).

    code  the program, or the path of a file with it; a text with a brace or of several lines is a
          program
    data  for the fits of this program; what `fit` is given as well goes before it

    What the compiler has to say comes as InvalidArgumentError from Client.fit.
    """

    program: str
    data: Mapping[str, Any] | None

    def __init__(
        self, code: str | os.PathLike[str], data: Mapping[str, Any] | None = None
    ) -> None:
        is_program = isinstance(code, str) and ("{" in code or "\n" in code)
        program = str(code) if is_program else Path(code).read_text(encoding="utf-8")
        object.__setattr__(self, "program", program)
        object.__setattr__(self, "data", data)

    def __repr__(self) -> str:
        return f"<Stan program of {len(self.program.splitlines())} lines>"


def _plain(value: Any) -> Any:
    """Numbers that JSON has none for as CmdStan's texts."""
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _value(path: str, value: Any) -> Any:
    try:
        array = np.asarray(value)
    except ValueError:  # a ragged list
        array = np.empty(0, dtype=object)
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iuf":
        raise wrong_field(path, "is neither a number nor an array of numbers")
    plain = array.tolist()
    return plain if array.dtype.kind in "iu" or np.isfinite(array).all() else _plain(plain)


def data_json(path: str, data: Mapping[str, Any]) -> str:
    """Data as JSON: integers stay integers. InvalidArgumentError names what is no number."""
    found = {}
    for name, value in data.items():
        if not isinstance(name, str):
            raise wrong_field(path, f"the name {name!r} is not a text")
        found[name] = _value(f"{path}.{name[:100]}", value)
    return json.dumps(found, separators=(",", ":"), allow_nan=False)
