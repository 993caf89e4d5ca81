"""From keyword arguments to the messages of a fit: the names are those of proto/, found in it."""
from __future__ import annotations

import math
import numbers
from datetime import datetime, timezone
from functools import partial
from typing import Any, Callable, Mapping

import numpy as np

from aisivi import _api, _wire
from aisivi.errors import wrong_field
from aisivi.stan import Stan, data_json

# The fields of Fit that a client sets and that are no settings of the method.
_PLAIN = ("seed", "preset", "display_name", "labels", "expire_time")
# The fields of a target that say which columns of a data set are meant.
_DATASET = ("dataset", "response", "predictors", "intercept")
_DEFAULT_METHOD = "aisivi"
_LONGEST_DURATION = 315_576_000_000  # seconds, of google.protobuf.Duration: 10,000 years


def _array(path: str, value: Any, dimensions: int) -> Any:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise wrong_field(path, "is not an array of numbers") from None
    if array.ndim != dimensions:
        kind = {1: "vector", 2: "matrix"}[dimensions]
        raise wrong_field(path, f"is not a {kind}: it has the shape {array.shape}")
    return array


def set_matrix(matrix: Any, path: str, value: Any) -> None:
    """Fills a Matrix with an N×D array."""
    array = _array(path, value, 2)
    matrix.rows, matrix.columns = array.shape
    _wire.fill_packed(matrix, "values", array)


def _number(path: str, value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise wrong_field(path, f"{value!r} is not a number")
    return float(value)


def _integer(path: str, value: Any) -> int:
    number = _number(path, value)
    if not math.isfinite(number) or number != math.floor(number):
        raise wrong_field(path, f"{value!r} is not a whole number")
    return int(value)


def _truth(path: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise wrong_field(path, f"{value!r} is neither True nor False")
    return bool(value)


def _text(path: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_field(path, f"{value!r} is not a text")
    return value


def _scalar(field: Any) -> Callable[[str, Any], Any] | None:
    kinds: dict[int, Callable[[str, Any], Any]] = {
        field.CPPTYPE_DOUBLE: _number,
        field.CPPTYPE_INT32: _integer,
        field.CPPTYPE_INT64: _integer,
        field.CPPTYPE_UINT64: _integer,
        field.CPPTYPE_BOOL: _truth,
        field.CPPTYPE_STRING: _text,
    }
    return kinds.get(field.cpp_type)


def _enum(field: Any, path: str, value: Any) -> int:
    known = _api.enum_texts(field.enum_type)
    for number, text in known.items():
        if isinstance(value, str) and value.lower() == text:
            return number
    raise wrong_field(path, f"{value!r} is not one of {', '.join(known.values())}")


def _set_message(target: Any, path: str, value: Any) -> None:
    kind = target.DESCRIPTOR.full_name
    if kind == "aisivi.v1.Matrix":
        set_matrix(target, path, value)
    elif kind == "google.protobuf.Duration":
        time = _number(path, value)
        if not abs(time) <= _LONGEST_DURATION:
            raise wrong_field(path, "is not a number of seconds")
        whole = math.trunc(time)
        nanos = round((time - whole) * 1e9)
        target.seconds, target.nanos = whole, max(min(nanos, 999_999_999), -999_999_999)
        target.SetInParent()
    elif kind == "google.protobuf.Timestamp":
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise wrong_field(path, "is not a datetime with a time zone")
        since = value - datetime(1970, 1, 1, tzinfo=timezone.utc)
        target.seconds = since.days * 86400 + since.seconds
        target.nanos = since.microseconds * 1000
        target.SetInParent()
    else:
        raise wrong_field(path, "cannot be set")


def _set_repeated(message: Any, field: Any, path: str, value: Any) -> None:
    if field.cpp_type == field.CPPTYPE_DOUBLE:
        _wire.fill_packed(message, field.name, _array(path, value, 1))
        return
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise wrong_field(path, f"{value!r} is not a list")
    elements = getattr(message, field.name)
    read = _scalar(field)
    for element in value:
        if read is None:
            _set_message(elements.add(), path, element)
        else:
            _assign(path, elements.append, read(path, element))


def _assign(path: str, assign: Callable[[Any], None], value: Any) -> None:
    try:
        assign(value)
    except (OverflowError, ValueError):
        raise wrong_field(path, "is out of range, or no text in UTF-8") from None


def set_field(message: Any, name: str, value: Any, path: str) -> None:
    """Sets a field by its name; None leaves it. InvalidArgumentError names `path`.`name`."""
    path = f"{path}.{name}"
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        known = ", ".join(message.DESCRIPTOR.fields_by_name)
        has = f"known: {known}" if known else "it has none"
        raise wrong_field(path, f"there is no such field; {has}")
    if value is None:
        return
    read = _scalar(field)
    if field.label == field.LABEL_REPEATED:
        _set_repeated(message, field, path, value)
    elif field.cpp_type == field.CPPTYPE_ENUM:
        setattr(message, name, _enum(field, path, value))
    elif read is not None:
        _assign(path, partial(setattr, message, name), read(path, value))
    else:
        _set_message(getattr(message, name), path, value)


def choose(oneof: Any, name: str, path: str, what: str) -> Any:
    """The message of a TargetSpec or MethodSpec that is called `name`, made present."""
    known = oneof.DESCRIPTOR.fields_by_name
    if name not in known:
        text = f"no {what} is called {str(name)[:100]!r}; known: {', '.join(known)}"
        raise wrong_field(path, text)
    chosen = getattr(oneof, name)
    chosen.SetInParent()
    return chosen


def _method_of(fit: Any) -> str:
    """Presets are called METHOD_SETTING; of "kpg" and "kpg_is" the longer fits kpg_is_logistic."""
    if fit.HasField("method"):
        return str(fit.method.WhichOneof("method"))
    methods = fit.method.DESCRIPTOR.fields_by_name
    fitting = [name for name in methods if fit.preset.startswith(name + "_")]
    return max(fitting, key=len, default=_DEFAULT_METHOD)


def _set_setting(fit: Any, name: str, value: Any) -> None:
    groups = [f for f in _api.message("FitSettings").DESCRIPTOR.fields_by_name if f != "method"]
    method = _method_of(fit)
    own = fit.method.DESCRIPTOR.fields_by_name[method].message_type
    if name in own.fields_by_name:
        if value is not None:
            chosen = choose(fit.method, method, "fit.method", "method")
            set_field(chosen, name, value, f"fit.method.{method}")
        return
    known = list(own.fields_by_name)
    for group in groups:
        fields = fit.DESCRIPTOR.fields_by_name[group].message_type.fields_by_name
        if name in fields:
            set_field(getattr(fit, group), name, value, f"fit.{group}")
            return
        known += fields
    raise wrong_field(
        f"fit.{name[:100]}", f"the method {method} has no such setting; known: {', '.join(known)}"
    )


def _build_stan(spec: Any, stan: Stan, data: Mapping[str, Any] | None) -> None:
    path = "fit.target.stan.data"
    found: dict[str, Any] = {}
    for part in (stan.data, data):
        if part is not None and not isinstance(part, Mapping):
            raise wrong_field(path, "is not a dictionary of the program's data")
        found.update(part or {})
    _assign("fit.target.stan.program", partial(setattr, spec.stan, "program"), stan.program)
    if found:
        spec.stan.data = data_json(path, found)


def build_target(
    target: str | Stan, data: Mapping[str, Any] | None, settings: dict[str, Any]
) -> Any:
    """A TargetSpec; takes what names a data set out of `settings`."""
    spec = _api.message("TargetSpec")
    if isinstance(target, Stan):
        _build_stan(spec, target, data)
        return spec
    if not isinstance(target, str):
        hint = ": decorate it with @aisivi.density(parameters=…)" if callable(target) else ""
        text = f"{target!r} is no target's name, no Stan program and no density{hint}"
        raise wrong_field("fit.target", text[:500])
    chosen = choose(spec, target, "fit.target", "target")
    path = f"fit.target.{target}"
    if data is not None and not isinstance(data, Mapping):
        raise wrong_field(path, "data is not a dictionary of the target's parameters")
    for name, value in (data or {}).items():
        set_field(chosen, name, value, path)
    for name in _DATASET:
        value = settings.pop(name, None)
        if value is None:
            continue
        if name == "dataset":
            value = str(getattr(value, "name", value))
            value = value if "/" in value else f"datasets/{value}"
        set_field(chosen, name, value, path)
    return spec


def build_fit(
    target: str | Stan, data: Mapping[str, Any] | None, settings: Mapping[str, Any]
) -> Any:
    """The Fit to create. InvalidArgumentError names what is wrong."""
    left = dict(settings)
    fit = _api.message("Fit", target=build_target(target, data, left))
    labels = left.pop("labels", None)
    for key, value in (labels or {}).items():
        fit.labels[_text("fit.labels", key)] = _text(f"fit.labels.{key}", value)
    for name in _PLAIN:
        set_field(fit, name, left.pop(name, None), "fit")
    method = left.pop("method", None)
    if method is not None:
        choose(fit.method, method, "fit.method", "method")
    for name, value in left.items():
        _set_setting(fit, name, value)
    return fit
