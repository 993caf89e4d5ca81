"""Errors of the service as exceptions: one class for each status code, all of them AisiviError."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc

from aisivi import _api


@dataclass(frozen=True)
class FieldViolation:
    """A wrong field of a request: its path, for instance "fit.target.gaussian.mean", and why."""

    field: str
    description: str


class AisiviError(Exception):
    """Any error of the service, or of a request that was refused before it was sent.

    code         the status code, for instance "INVALID_ARGUMENT"
    message      for people; of INVALID_ARGUMENT it begins with the first wrong field
    violations   the fields that are wrong or in the way
    reason       for programs, for instance "ETAG_MISMATCH"; "" when there is none
    retry_delay  seconds after which the request may be tried again, or None
    """

    code = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        violations: tuple[FieldViolation, ...] = (),
        reason: str = "",
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.violations = violations
        self.reason = reason
        self.retry_delay = retry_delay

    def __str__(self) -> str:
        return self.message


class InvalidArgumentError(AisiviError, ValueError):
    """A field of the request is wrong: see `violations`."""

    code = "INVALID_ARGUMENT"


class NotFoundError(AisiviError, LookupError):
    """There is no such fit or data set."""

    code = "NOT_FOUND"


class FailedPreconditionError(AisiviError):
    """The fit or data set is in no state for that: the message begins with the field, see `reason`."""

    code = "FAILED_PRECONDITION"


class AbortedError(AisiviError):
    """The fit has changed since."""

    code = "ABORTED"


class ResourceExhaustedError(AisiviError):
    """Too large, or too much at once: see `retry_delay`."""

    code = "RESOURCE_EXHAUSTED"


class UnavailableError(AisiviError, ConnectionError):
    """The server cannot be reached, or is shutting down."""

    code = "UNAVAILABLE"


class DeadlineExceededError(AisiviError, TimeoutError):
    """No answer within `timeout`. A fit goes on."""

    code = "DEADLINE_EXCEEDED"


class CancelledError(AisiviError):
    """The call was cancelled."""

    code = "CANCELLED"


class DataLossError(AisiviError):
    """What is stored cannot be read."""

    code = "DATA_LOSS"


class InternalError(AisiviError):
    """A fault of the service."""

    code = "INTERNAL"


class FitFailedError(AisiviError):
    """The fit ended as failed; `code` tells what kind of error ended it."""


class DensityError(AisiviError, ValueError):
    """A density's function answered what is no log density, or no gradient, of its parameters."""

    code = "INVALID_ARGUMENT"


_CLASSES: dict[str, type[AisiviError]] = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        NotFoundError,
        FailedPreconditionError,
        AbortedError,
        ResourceExhaustedError,
        UnavailableError,
        DeadlineExceededError,
        CancelledError,
        DataLossError,
        InternalError,
    )
}
# The bytes of a google.rpc.Status with the details.
_DETAILS_KEY = "grpc-status-details-bin"


def code_name(number: int) -> str:
    """The name of a status code, for instance "NOT_FOUND" of 5."""
    return next((code.name for code in grpc.StatusCode if code.value[0] == number), "UNKNOWN")


def wrong_field(field: str, description: str) -> InvalidArgumentError:
    """The error of a field that is refused before it is sent."""
    violation = FieldViolation(field, description)
    return InvalidArgumentError(f"{field}: {description}", violations=(violation,))


def _details(error: Any) -> list[Any]:
    found = []
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS_KEY:
            continue
        status = _api.class_of(_api.POOL.FindMessageTypeByName("google.rpc.Status"))
        for packed in status.FromString(value).details:
            try:
                kind = _api.POOL.FindMessageTypeByName(packed.type_url.rpartition("/")[2])
            except KeyError:
                continue  # a kind that this version does not know
            found.append(_api.class_of(kind).FromString(packed.value))
    return found


def from_grpc(error: Any) -> AisiviError:
    """The exception of a grpc.RpcError that a call raised."""
    violations: list[FieldViolation] = []
    reason, delay = "", None
    for detail in _details(error):
        kind = detail.DESCRIPTOR.name
        if kind == "BadRequest":
            violations += [FieldViolation(v.field, v.description) for v in detail.field_violations]
        elif kind == "PreconditionFailure":
            violations += [FieldViolation(v.subject, v.description) for v in detail.violations]
        elif kind == "ErrorInfo":
            reason = detail.reason
        elif kind == "RetryInfo":
            delay = _api.seconds(detail.retry_delay)
    name = error.code().name
    return _CLASSES.get(name, AisiviError)(
        error.details() or name,
        code=name,
        violations=tuple(violations),
        reason=reason,
        retry_delay=delay,
    )
