"""Densities that stay in the user's own process: a function becomes a target.

    @aisivi.density(parameters={"theta": Real(8), "tau": Positive()})
    def posterior(theta, tau):                 # (N, 8) and (N,)
        …
        return log_p, {"theta": …, "tau": …}   # (N,), and gradients (N, 8) and (N,)

    fit = client.fit(posterior).wait()
"""
from __future__ import annotations

import warnings
from typing import Any, Callable, Mapping

import numpy as np

from aisivi import _api, _frameworks, _order, _wire
from aisivi.errors import DensityError, wrong_field
from aisivi.parameters import Parameter, checked, to_message

_FRAMEWORKS = ("numpy", "torch", "jax")
_DOUBLE = np.dtype("<f8")  # of the bytes of density_service.proto
_REQUEST = type(_api.message("ServeDensityRequest"))
_ANSWER = _REQUEST.DESCRIPTOR.fields_by_name["answer"]
_LOG_DENSITY, _SCORE = (
    _ANSWER.message_type.fields_by_name[name].number for name in ("log_density", "score")
)


class Density:
    """A function with its parameters; made by `density`. Calling it calls the function."""

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: Mapping[str, Parameter],
        *,
        framework: str = "numpy",
        batched: bool = True,
        unnormalised: bool = False,
        name: str = "",
        deadline: float = 30,
        patience: float = 60,
        check: bool = True,
    ) -> None:
        """As of `density`, which has the defaults that suit the framework."""
        if framework not in _FRAMEWORKS:
            raise wrong_field("framework", f"{framework!r} is not one of {', '.join(_FRAMEWORKS)}")
        if not 0.1 <= deadline <= 3600:
            raise wrong_field("deadline", f"{deadline} is not 0.1 to 3600 seconds")
        if not 0 < patience <= 3600:
            raise wrong_field("patience", f"{patience} is not above 0 and at most 3600 seconds")
        self.parameters = checked(parameters)
        self.name = name
        self.unnormalised = unnormalised
        self.deadline = deadline
        self.patience = patience
        self.check = check
        self._function = function
        self._evaluate = _frameworks.evaluator(function, framework, batched)
        self._shapes = [parameter.shape for parameter in self.parameters.values()]
        self._elements = sum(parameter.elements for parameter in self.parameters.values())

    def __call__(self, *arguments: Any, **values: Any) -> Any:
        return self._function(*arguments, **values)

    def __repr__(self) -> str:
        texts = (
            f"{name}{list(parameter.shape) if parameter.shape else ''}"
            for name, parameter in self.parameters.items()
        )
        return f"<Density {self.name}({', '.join(texts)})>"

    def offer(self, name: str) -> Any:
        """The first message of a stream: the density `name`, "" for a new one."""
        message = _api.message("ServeDensityRequest")
        offer = message.offer
        offer.density = name
        offer.parameters.extend(to_message(*item) for item in self.parameters.items())
        offer.unnormalised = self.unnormalised
        offer.display_name = self.name
        _set_seconds(offer.deadline, self.deadline)
        _set_seconds(offer.patience, self.patience)
        offer.omit_check = not self.check
        return message

    def answer(self, batch: Any, values: memoryview | None = None) -> bytes:
        """The function's answer to a Batch, a ServeDensityRequest as it goes over the wire.

        values: of the batch, where it does not have them itself. DensityError, or what the function
        raises.
        """
        numbers = np.frombuffer(batch.values if values is None else values, _DOUBLE)
        if numbers.size != batch.points * self._elements:
            text = f"a batch of {batch.points} points has {numbers.size} numbers"
            raise DensityError(f"{text}, not {self._elements} for each: the server is at fault")
        arrays = _order.arrays_of(numbers.reshape(batch.points, self._elements), self._shapes)
        log_p, gradients = self._evaluate(dict(zip(self.parameters, arrays)), batch.score)
        message = _REQUEST()
        message.answer.id = batch.id
        answered = {_LOG_DENSITY: log_p}
        if gradients is not None:
            rows = _order.rows_of([gradients[parameter] for parameter in self.parameters])
            answered[_SCORE] = rows
        return bytes(message.SerializeToString()) + _wire.nested(_ANSWER.number, answered)


def _set_seconds(duration: Any, seconds: float) -> None:
    whole = int(seconds)
    # A rounding up to the next second would be no fraction of one.
    duration.seconds, duration.nanos = whole, min(round((seconds - whole) * 1e9), 999_999_999)


def density(
    *,
    parameters: Mapping[str, Parameter],
    framework: str = "numpy",
    batched: bool | None = None,
    unnormalised: bool = False,
    name: str = "",
    deadline: float = 30,
    patience: float = 60,
    check: bool = True,
) -> Callable[[Callable[..., Any]], Density]:
    """Makes a target of a function that answers log densities, with all constants, in nats.

    The function has a keyword for each parameter and sees it on its constrained scale; the server
    adds transforms and Jacobians. float64 throughout. -inf and NaN are a density of zero. What it
    raises ends the fit, and comes out of `wait`.

    framework     "numpy": N points at once, arrays (N, *shape); answers (log p, gradients): N
                  numbers, and a dictionary of arrays like the parameters, ∂ log p / ∂ parameter
                  "torch": tensors (N, *shape); answers N numbers, PyTorch makes the gradients
                  "jax": one point, arrays of the parameter's shape; answers a number; JAX makes
                  batches and gradients of it, and compiles them
    batched       False: one point at a time, slow but with "jax"; default: as above
    unnormalised  log p lacks a constant: log Z is then relative to it
    name          for people; default: the function's
    deadline      seconds that a batch may take, 0.1 to 3600; then it is asked for again
    patience      seconds that a fit waits when nobody answers, after an interrupt for instance,
                  before it ends with its best state and `termination` "target_lost"; at most 3600
    check         compare gradients with finite differences when a fit begins

    From its first fit on the process keeps up to 64 MB that temporary arrays gave back, which saves
    a NumPy function most of its time; MALLOC_TRIM_THRESHOLD_ in the environment goes before.

    InvalidArgumentError names what is wrong.
    """

    def decorate(function: Callable[..., Any]) -> Density:
        whole = framework != "jax" if batched is None else batched
        if not whole and framework != "jax":
            warnings.warn(
                "a function of one point at a time is slow: a batch costs as many calls as it has "
                "points",
                RuntimeWarning,
                stacklevel=2,
            )
        return Density(
            function,
            parameters,
            framework=framework,
            batched=whole,
            unnormalised=unnormalised,
            name=name or getattr(function, "__name__", "density"),
            deadline=deadline,
            patience=patience,
            check=check,
        )

    return decorate
