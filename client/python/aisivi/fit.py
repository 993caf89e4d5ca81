"""A fit: following it, and using its posterior."""
from __future__ import annotations

import html
import os
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Sequence

from aisivi import _api, _export, _posterior, _progress, _watch
from aisivi._serving import Served
from aisivi._transport import Transport
from aisivi.errors import FitFailedError, code_name
from aisivi.results import CoordinateSummary, Draws, Floats, LogEvidence, Summary, Verdict
from aisivi.results import evidence_of, verdict_of
from aisivi.variables import Variable, arrays, variables_of

def _scale(request: str, unconstrained: bool) -> int:
    field = _api.message(request).DESCRIPTOR.fields_by_name["scale"]
    name = "DRAW_SCALE_UNCONSTRAINED" if unconstrained else "DRAW_SCALE_CONSTRAINED"
    return int(field.enum_type.values_by_name[name].number)


class Fit:
    """One fit on the server; made by Client.fit, Client.get_fit and Client.fits.

    Its properties are what was last heard of it: `refresh` asks anew. Methods block for at most
    `timeout` seconds (None: the client's own where an answer is quick, for ever where the server
    computes) and raise AisiviError. Those that need a posterior raise FailedPreconditionError until
    the fit has ended with one. Equal seeds give equal numbers. Threads may share it, but for the
    fit of a density, whose function runs on the thread that called Client.fit, while that waits.

    Draws are on the constrained scale, arrays by the names of `variables`; `unconstrained` ones
    are the D coordinates that the fit is made in, which log_prob and score take.
    """

    def __init__(
        self, transport: Transport, message: Any, timeout: float | None,
        served: Served | None = None,
    ) -> None:
        self._transport = transport
        self._message = message
        self._timeout = timeout
        self._served = served

    # --- What is known of it ---

    @property
    def message(self) -> Any:
        """The Fit of fit.proto, everything that the server told."""
        return self._message

    @property
    def name(self) -> str:
        """ "fits/{id}"."""
        return str(self._message.name)

    @property
    def display_name(self) -> str:
        """Its name for people; may be empty."""
        return str(self._message.display_name)

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self._message.labels)

    @property
    def target(self) -> str:
        """The target's name, for instance "banana"."""
        return str(self._message.target.WhichOneof("target") or "")

    @property
    def state(self) -> str:
        """queued, running, succeeded, failed or cancelled."""
        return _api.enum_text(self._message, "state")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the D coordinates."""
        return tuple(self._message.coordinate_names)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The parameters, and what is derived from them; empty where the server tells none."""
        return variables_of(self._message)

    @property
    def density(self) -> str:
        """ "densities/{id}" of a density that stays with a user; "" of other targets."""
        return str(self._message.target.remote.density)

    @property
    def termination(self) -> str:
        """Why it ended, for instance "converged", "time_limit" or "target_lost"; "" before."""
        return _api.enum_text(self._message, "termination_reason")

    @property
    def seconds(self) -> float | None:
        """How long it ran; None before it has ended."""
        start = _api.optional(self._message, "start_time")
        end = _api.optional(self._message, "end_time")
        return None if start is None or end is None else _api.seconds(end) - _api.seconds(start)

    @property
    def has_posterior(self) -> bool:
        """Whether draws and densities can be had."""
        return bool(self._message.has_posterior)

    @property
    def verdict(self) -> Verdict | None:
        """Whether the result can be trusted; None before the fit has ended with a posterior."""
        found = _api.optional(self._message, "verdict")
        return None if found is None else verdict_of(found)

    def refresh(self, timeout: float | None = None) -> Fit:
        """Asks the server for its present state; returns the fit itself."""
        self._message = self._unary("FitService", "GetFit", "GetFitRequest", timeout)
        return self

    # --- Following and ending ---

    def wait(
        self, progress: bool = True, timeout: float | None = None, patience: float = 30
    ) -> Fit:
        """Waits for the end, with a progress bar on standard error or in the notebook.

        Returns the fit itself, also when it was cancelled. FitFailedError when it failed,
        DeadlineExceededError after `timeout` seconds, UnavailableError when the connection stays
        broken for `patience` seconds. Ctrl-C ends the wait with KeyboardInterrupt. The fit goes on,
        whatever ends the wait; but that of a density waits for it in turn, for its `patience`, a
        minute by default: wait again until then. What a density's function raises comes out of
        here, and ends the fit.
        """
        self._require_its_thread()
        view = _progress.view_for(sys.stderr) if progress else _progress.View()
        try:
            self._follow(view.show, timeout, patience)
        except KeyboardInterrupt:
            view.finish()
            if progress:
                text = "it waits for its density: wait() goes on, " if self._served else ""
                print(f"left {self.name} running; {text}cancel() ends it", file=sys.stderr)
            raise
        except BaseException:
            view.finish()
            raise
        view.finish()
        if self.state == "failed":
            error = self._message.error
            raise FitFailedError(f"{self.name}: {error.message}", code=code_name(error.code))
        return self

    def watch(
        self,
        callback: Callable[[Any], None],
        timeout: float | None = None,
        patience: float = 30,
    ) -> Fit:
        """Calls `callback` with every WatchFitResponse (fit_service.proto) until the fit has ended.

        It is called on this thread; an exception of its own ends the wait. Errors as of `wait`, but
        a fit that failed is returned like any other.
        """
        self._require_its_thread()
        self._follow(callback, timeout, patience)
        return self

    def _require_its_thread(self) -> None:
        if self._served is not None and self._served.thread != threading.get_ident():
            raise RuntimeError(
                f"{self.name}: the density's function runs on the thread that called Client.fit: "
                "wait there"
            )

    def _follow(
        self, callback: Callable[[Any], None], timeout: float | None, patience: float
    ) -> None:
        self._message = _watch.follow(self._transport, self.name, callback, timeout, patience)

    def cancel(self, timeout: float | None = None) -> Fit:
        """Asks it to end; its best state so far can then be used. Returns the fit itself."""
        self._message = self._unary("FitService", "CancelFit", "CancelFitRequest", timeout)
        return self

    def delete(self, timeout: float | None = None) -> None:
        """Removes a fit that has ended; FailedPreconditionError while it has not."""
        self._unary("FitService", "DeleteFit", "DeleteFitRequest", timeout)

    def history(self, timeout: float | None = None) -> dict[str, Any]:
        """The training curves: arrays by name, a number for each of at most about 1000 reports.

        iteration (of its phase), elapsed (seconds), phase (text), loss, flow_loss, elbo and log_z
        (nats), proposal_ess (a share), score_residual; NaN where it is not known.
        """
        method = "GetTrainingHistory"
        answer = self._unary("FitService", method, f"{method}Request", timeout)
        return _export.history(answer.reports)

    # --- The posterior ---

    def draw_set(
        self,
        count: int = 1000,
        seed: int = 0,
        resample: bool = False,
        densities: bool = True,
        force: bool = False,
        unconstrained: bool = False,
        timeout: float | None = None,
    ) -> Draws:
        """`count` draws with their log densities, which take most of the time.

        resample  weighted towards the posterior; FailedPreconditionError, reason HEAVY_TAIL, where
                  the weights cannot be trusted, unless `force`
        """
        if count == 0:
            # To the service 0 is its default.
            raise ValueError("count: at least one draw must be asked for")
        if not self._message.variables and not self._message.coordinate_names:
            # Lists leave them out.
            self.refresh(timeout)
        request = _api.message(
            "StreamDrawsRequest",
            name=self.name,
            count=count,
            seed=seed,
            resample=resample,
            force=force,
            omit_densities=not densities,
            scale=_scale("StreamDrawsRequest", unconstrained),
        )
        variables = [Variable(n) for n in self.names] if unconstrained else self.variables
        return _posterior.stream_draws(self._transport, request, variables, timeout)

    def draws(
        self, count: int = 1000, seed: int = 0, resample: bool = False,
        unconstrained: bool = False, timeout: float | None = None,
    ) -> dict[str, Floats]:
        """Draws by the names of the variables, each an array (count, *shape).

        Matrices and arrays have their first index first, as in Stan. Of unconstrained draws each
        coordinate is one of its own.
        """
        return arrays(self._draws(count, seed, resample, unconstrained, timeout))

    def generated(
        self, count: int = 1000, seed: int = 0, resample: bool = False,
        timeout: float | None = None,
    ) -> dict[str, Floats]:
        """Draws of what is derived from the parameters alone, predictions for instance."""
        found = self._draws(count, seed, resample, False, timeout)
        derived = {variable.name for variable in found.variables if variable.derived}
        return {name: values for name, values in arrays(found).items() if name in derived}

    def draws_array(
        self, count: int = 1000, seed: int = 0, resample: bool = False,
        unconstrained: bool = False, timeout: float | None = None,
    ) -> Floats:
        """Draws as an array, a row for each: the elements of `variables`, or the D coordinates."""
        return self._draws(count, seed, resample, unconstrained, timeout).values

    def to_dataframe(
        self, count: int = 1000, seed: int = 0, resample: bool = False,
        unconstrained: bool = False, timeout: float | None = None,
    ) -> Any:
        """Draws as a pandas.DataFrame, a column for each number. ImportError without pandas."""
        return _export.dataframe(self._draws(count, seed, resample, unconstrained, timeout))

    def to_xarray(
        self, count: int = 1000, seed: int = 0, resample: bool = False,
        unconstrained: bool = False, timeout: float | None = None,
    ) -> Any:
        """Draws as an xarray.Dataset: chain (1) × draw, and × beta_dim_0 … for beta's indices.

        A vector's labels are the coordinates of its dimension; elsewhere indices begin with 1.
        ImportError without xarray.
        """
        return _export.posterior(self._draws(count, seed, resample, unconstrained, timeout))

    def to_arviz(
        self, count: int = 1000, seed: int = 0, resample: bool = False,
        observed: Sequence[str] = ("y",), timeout: float | None = None,
    ) -> Any:
        """The groups of `to_netcdf` as an arviz.InferenceData. ImportError without ArviZ."""
        arviz = _export.require("arviz", "")
        return arviz.InferenceData(**self._groups(count, seed, resample, observed, timeout))

    def to_netcdf(
        self, path: str | os.PathLike[str], count: int = 1000, seed: int = 0,
        resample: bool = False, observed: Sequence[str] = ("y",), timeout: float | None = None,
    ) -> None:
        """Writes a file in the layout of ArviZ's InferenceData, over what was there.

        Groups: posterior; sample_stats with lp, log_q, log_weight; observed_data with those of the
        data that are `observed`, and constant_data with the others, of targets with inline data and
        of Stan programs. ImportError without xarray and h5netcdf.
        """
        _export.require("h5netcdf", "python3-h5netcdf")
        groups = self._groups(count, seed, resample, observed, timeout)
        _export.write_netcdf(Path(path), groups)

    def _draws(
        self, count: int, seed: int, resample: bool, unconstrained: bool, timeout: float | None
    ) -> Draws:
        return self.draw_set(
            count, seed, resample, densities=False, unconstrained=unconstrained, timeout=timeout
        )

    def _groups(
        self, count: int, seed: int, resample: bool, observed: Sequence[str],
        timeout: float | None,
    ) -> dict[str, Any]:
        _export.require("xarray", "python3-xarray")
        draws = self.draw_set(count, seed, resample, timeout=timeout)
        request = _api.message("DownloadFitRequest", name=self.name)
        chunks = self._transport.stream("FitService", "DownloadFit", request, timeout)
        whole = _api.class_of(self._message.DESCRIPTOR).FromString(b"".join(c.data for c in chunks))
        return _export.groups(draws, whole.target, observed)

    def summary(
        self,
        count: int = 0,
        seed: int = 0,
        probabilities: Sequence[float] = (),
        unconstrained: bool = False,
        timeout: float | None = None,
    ) -> Summary:
        """Mean, standard deviation and quantiles of each number of a draw, from `count` draws.

        By their names, for instance "theta[1]". Defaults are the service's: 20,000 draws; 0.025,
        0.25, 0.5, 0.75, 0.975.
        """
        request = _api.message(
            "SummarizePosteriorRequest",
            name=self.name,
            count=count,
            seed=seed,
            probabilities=probabilities,
            scale=_scale("SummarizePosteriorRequest", unconstrained),
        )
        answer = self._transport.unary("PosteriorService", "SummarizePosterior", request, timeout)
        return Summary(
            (c.name, CoordinateSummary(c.mean, c.sd, dict(zip(answer.probabilities, c.quantiles))))
            for c in answer.coordinates
        )

    def log_evidence(
        self, draws: int = 0, inner_samples: int = 0, seed: int | None = None,
        timeout: float | None = None,
    ) -> LogEvidence:
        """The log evidence that the fit ended with; estimated afresh where an argument is given.

        draws, inner_samples: 0 for as many as the fit's own estimate used. ValueError when the fit
        has not ended with an estimate.
        """
        if not draws and not inner_samples and seed is None:
            found = _api.optional(self._message, "evidence")
            if found is None:
                raise ValueError(f"{self.name} has no estimate of the log evidence")
            return evidence_of(found, self._relative)
        request = _api.message(
            "EstimateLogEvidenceRequest",
            name=self.name,
            draws=draws,
            inner_samples=inner_samples,
            seed=seed or 0,
        )
        service, method = "PosteriorService", "EstimateLogEvidence"
        last = None
        for last in self._transport.stream(service, method, request, timeout):
            pass
        assert last is not None  # the service ends its answer with the estimate
        return evidence_of(last.evidence, self._relative)

    @property
    def _relative(self) -> bool:
        return bool(self._message.target.remote.unnormalised)

    def log_prob(
        self, z: Any, inner_samples: int = 0, seed: int = 0, timeout: float | None = None
    ) -> Any:
        """log q, the log density of the fitted posterior over the coordinates, in nats.

        z: D numbers, answered by one, or N×D, answered by N; or what draws(unconstrained=True)
        answers. inner_samples 0: the fit's own.
        """
        z = _posterior.points_of(z, self.names)
        fields = {"name": self.name, "inner_samples": inner_samples, "seed": seed}
        return _posterior.log_density(self._transport, z, fields, timeout)

    def score(
        self, z: Any, inner_samples: int = 0, seed: int = 0, timeout: float | None = None
    ) -> Floats:
        """∇ log q(z), of z as in log_prob: D numbers or N×D, in the order of `names`."""
        z = _posterior.points_of(z, self.names)
        fields = {"name": self.name, "inner_samples": inner_samples, "seed": seed}
        return _posterior.score(self._transport, z, fields, timeout)

    # --- For people ---

    def _facts(self) -> list[tuple[str, str]]:
        facts = [("fit", self.name), ("name", self.display_name), ("target", self.target)]
        facts += [("state", self.state)]
        evidence = _api.optional(self._message, "evidence")
        if evidence is not None and evidence.HasField("log_z"):
            key = "log Z, relative" if self._relative else "log Z"
            facts.append((key, f"{evidence.log_z:.3f} ± {evidence.standard_error:.2g}"))
        verdict = self.verdict
        if verdict is not None:
            facts.append(("verdict", verdict.sentence))
        if self.seconds is not None:
            facts.append(("seconds", f"{self.seconds:.1f}"))
        return [(key, value) for key, value in facts if value]

    def __repr__(self) -> str:
        return "<Fit " + ", ".join(f"{key}: {value}" for key, value in self._facts()[:5]) + ">"

    def _repr_html_(self) -> str:
        lines = (
            f"<tr><th>{html.escape(key)}</th><td>{html.escape(value)}</td></tr>"
            for key, value in self._facts()
        )
        return "<table>" + "".join(lines) + "</table>"

    def _unary(self, service: str, method: str, request: str, timeout: float | None) -> Any:
        message = _api.message(request, name=self.name)
        limit = self._timeout if timeout is None else timeout
        return self._transport.unary(service, method, message, limit)
