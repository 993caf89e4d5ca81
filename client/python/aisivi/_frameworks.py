"""What a density's function answers, as float64 arrays; gradients by PyTorch and JAX.

An evaluator takes the values of all parameters, arrays (N, *shape) by name, and whether gradients
are wanted. It answers the log densities, N, and the gradients, arrays like the values by name, or
None. DensityError tells which of the two is not what was asked for, and of which parameter.
"""
from __future__ import annotations

import importlib
from typing import Any, Callable, Mapping

import numpy as np

from aisivi.errors import DensityError
from aisivi.results import Floats

Values = dict[str, Floats]
Answer = tuple[Floats, "Values | None"]
Evaluator = Callable[[Values, bool], Answer]

_FLOAT32_HINT = {
    "numpy": "",
    "torch": "; PyTorch makes float32 unless dtype=torch.float64 or "
    "torch.set_default_dtype(torch.float64) says otherwise",
    "jax": '; JAX makes float32 unless jax.config.update("jax_enable_x64", True) comes first',
}


def _float64(what: str, value: Any, shape: tuple[int, ...], framework: str) -> Floats:
    """An array of that shape; DensityError where it is none, or has too few digits."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise DensityError(f"{what} is no array of numbers") from None
    if array.dtype == np.float64 and array.shape == shape:
        return array
    if array.dtype.kind == "f" and array.dtype.itemsize < 8 or array.dtype.name == "bfloat16":
        raise DensityError(
            f"{what} has the type {array.dtype}, too coarse for a fit: float64 is needed"
            + _FLOAT32_HINT[framework]
        )
    if array.dtype.kind not in "iuf":
        raise DensityError(f"{what} has the type {array.dtype}, not float64")
    if array.shape != shape:
        text = f"{what} has the shape {array.shape}, not {shape}"
        if array.shape == () and len(shape) == 1:
            text += "; a function of one point at a time needs batched=False"
        raise DensityError(text)
    return array.astype(np.float64, copy=False)


def _split(answer: Any) -> tuple[Any, Mapping[str, Any] | None]:
    """An answer's log density, and its gradients where it has them."""
    if isinstance(answer, (tuple, list)) and len(answer) == 2 and isinstance(answer[1], Mapping):
        return answer[0], answer[1]
    return answer, None


def _gradients(found: Mapping[str, Any], values: Values, framework: str) -> Values:
    unknown = [name for name in found if name not in values]
    if unknown:
        known = ", ".join(values)
        raise DensityError(f"{unknown[0]}: a gradient of no parameter; there are {known}")
    gradients = {}
    for name, value in values.items():
        if name not in found:
            raise DensityError(f"{name}: the gradient is missing")
        gradients[name] = _float64(f"{name}: the gradient", found[name], value.shape, framework)
    return gradients


def _checked(answer: Any, values: Values, score: bool, framework: str) -> Answer:
    log_density, found = _split(answer)
    points = len(next(iter(values.values())))
    log_p = _float64("the log density", log_density, (points,), framework)
    if not score:
        return log_p, None
    if found is None:
        raise DensityError(
            "the gradient is missing: return (log density, {name: gradient, …}), or write the "
            'function in PyTorch or JAX (framework="torch" or "jax")'
        )
    return log_p, _gradients(found, values, framework)


def numpy_batches(function: Callable[..., Any]) -> Evaluator:
    """Of a function of whole batches."""

    def evaluate(values: Values, score: bool) -> Answer:
        return _checked(function(**values), values, score, "numpy")

    return evaluate


def _points(function: Callable[..., Any], values: Values) -> list[Any]:
    count = len(next(iter(values.values())))
    return [function(**{name: value[i] for name, value in values.items()}) for i in range(count)]


def numpy_points(function: Callable[..., Any]) -> Evaluator:
    """Of a function of one point, called for each."""

    def evaluate(values: Values, score: bool) -> Answer:
        log_p: list[Floats] = []
        gradients: list[Values] = []
        for i, answer in enumerate(_points(function, values)):
            point = {name: value[i : i + 1] for name, value in values.items()}
            log_density, found = _split(answer)
            # A point of its own is a batch of one.
            batch = _float64("the log density", log_density, (), "numpy")[None]
            if found is not None:
                found = {name: np.asarray(g)[None] for name, g in found.items()}
            one, gradient = _checked(batch if found is None else (batch, found), point, score,
                                     "numpy")
            log_p.append(one)
            gradients.append(gradient or {})
        joined = np.concatenate(log_p)
        if not score:
            return joined, None
        return joined, {name: np.concatenate([g[name] for g in gradients]) for name in values}

    return evaluate


def _torch_gradients(
    torch: Any, log_p: Any, tensors: dict[str, Any], found: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    if found is not None:
        return {name: _detached(gradient) for name, gradient in found.items()}
    if not getattr(log_p, "requires_grad", False):
        raise DensityError("the log density does not depend on the parameters as PyTorch sees it")
    made = torch.autograd.grad(
        log_p, list(tensors.values()), torch.ones_like(log_p), allow_unused=True
    )
    return {
        name: np.zeros(tuple(tensor.shape)) if gradient is None else _detached(gradient)
        for (name, tensor), gradient in zip(tensors.items(), made)
    }


def _detached(tensor: Any) -> Any:
    return tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor


def torch_evaluator(function: Callable[..., Any], batched: bool) -> Evaluator:
    """Of a function of tensors; its gradients by PyTorch unless it answers them itself."""
    torch = importlib.import_module("torch")

    def evaluate(values: Values, score: bool) -> Answer:
        tensors = {name: torch.from_numpy(value) for name, value in values.items()}
        for tensor in tensors.values():
            tensor.requires_grad_(score)
        with torch.set_grad_enabled(score):
            if batched:
                log_p, found = _split(function(**tensors))
            else:
                log_p, found = torch.stack(_points(function, tensors)), None
            checked, _ = _checked(_detached(log_p), values, False, "torch")
            if not score:
                return checked, None
            gradients = _torch_gradients(torch, log_p, tensors, found)
        return checked, _gradients(gradients, values, "torch")

    return evaluate


def jax_evaluator(function: Callable[..., Any], batched: bool) -> Evaluator:
    """Of a function of JAX's arrays, compiled; its gradients by JAX."""
    jax = importlib.import_module("jax")

    def of(arguments: Any) -> Any:
        return function(**arguments)

    def total(arguments: Any) -> Any:
        log_p = of(arguments)
        # The points of a batch are apart: the sum's gradient is that of each.
        return log_p.sum(), log_p

    def batch_with_gradients(arguments: Any) -> Any:
        (_, log_p), gradients = jax.value_and_grad(total, has_aux=True)(arguments)
        return log_p, gradients

    with_gradients = jax.jit(batch_with_gradients if batched else jax.vmap(jax.value_and_grad(of)))
    alone = jax.jit(of if batched else jax.vmap(of))

    def evaluate(values: Values, score: bool) -> Answer:
        if not jax.config.jax_enable_x64:
            raise DensityError(f"JAX computes in float32{_FLOAT32_HINT['jax']}")
        return _checked((with_gradients if score else alone)(values), values, score, "jax")

    return evaluate


def evaluator(function: Callable[..., Any], framework: str, batched: bool) -> Evaluator:
    """The evaluator of a function; ImportError where its framework is not installed."""
    if framework == "torch":
        return torch_evaluator(function, batched)
    if framework == "jax":
        return jax_evaluator(function, batched)
    return numpy_batches(function) if batched else numpy_points(function)
