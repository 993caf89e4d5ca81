"""AISIVI from Python: semi-implicit posteriors, fitted by a server.

    import aisivi
    client = aisivi.Client("127.0.0.1:50051")
    fit = client.fit("banana", seed=2, iterations=300).wait()
    fit.draws_array(1000), fit.log_evidence(), fit.verdict
"""
from aisivi.client import Client
from aisivi.comparison import ComparedFit, Comparison, compare
from aisivi.errors import (
    AbortedError,
    AisiviError,
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    FieldViolation,
    FitFailedError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from aisivi.fit import Fit
from aisivi.results import (
    CoordinateSummary,
    Criterion,
    Dataset,
    Draws,
    LogEvidence,
    TargetInfo,
    TargetParameter,
    Verdict,
)

__all__ = [
    "AbortedError", "AisiviError", "CancelledError", "Client", "ComparedFit", "Comparison",
    "CoordinateSummary", "Criterion", "DataLossError", "Dataset", "DeadlineExceededError",
    "Draws", "FailedPreconditionError", "FieldViolation", "Fit", "FitFailedError",
    "InternalError", "InvalidArgumentError", "LogEvidence", "NotFoundError",
    "ResourceExhaustedError", "TargetInfo", "TargetParameter", "UnavailableError", "Verdict",
    "compare",
]
