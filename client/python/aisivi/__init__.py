"""AISIVI from Python: semi-implicit posteriors, fitted by a server.

    import aisivi
    client = aisivi.Client("127.0.0.1:50051")
    fit = client.fit("banana", seed=2, iterations=300).wait()
    fit.draws(1000), fit.log_evidence(), fit.verdict

Targets are the server's own, Stan programs (`Stan`) and functions that stay here (`density`).
"""
from aisivi.bridgestan import from_bridgestan
from aisivi.client import Client
from aisivi.comparison import ComparedFit, Comparison, compare
from aisivi.density import Density, density
from aisivi.errors import (
    AbortedError,
    AisiviError,
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    DensityError,
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
from aisivi.parameters import (
    Affine,
    CholeskyFactorCorr,
    CholeskyFactorCov,
    CorrMatrix,
    CovMatrix,
    Interval,
    Lower,
    Ordered,
    Parameter,
    Positive,
    PositiveOrdered,
    Real,
    Simplex,
    SumToZero,
    Upper,
)
from aisivi.results import (
    CoordinateSummary,
    Criterion,
    Dataset,
    Draws,
    LogEvidence,
    Summary,
    TargetInfo,
    TargetParameter,
    Verdict,
)
from aisivi.serving import serve
from aisivi.stan import Stan
from aisivi.variables import Variable

__all__ = [
    "AbortedError", "Affine", "AisiviError", "CancelledError", "CholeskyFactorCorr",
    "CholeskyFactorCov", "Client", "ComparedFit", "Comparison", "CoordinateSummary", "CorrMatrix",
    "CovMatrix", "Criterion", "DataLossError", "Dataset", "DeadlineExceededError", "Density",
    "DensityError", "Draws", "FailedPreconditionError", "FieldViolation", "Fit", "FitFailedError",
    "InternalError", "Interval", "InvalidArgumentError", "LogEvidence", "Lower", "NotFoundError",
    "Ordered", "Parameter", "Positive", "PositiveOrdered", "Real", "ResourceExhaustedError",
    "Simplex", "Stan", "SumToZero", "Summary", "TargetInfo", "TargetParameter", "UnavailableError",
    "Upper", "Variable", "Verdict", "compare", "density", "from_bridgestan", "serve",
]
