"""Parts that need no server: the wire, errors, views, forms, comparison."""
from __future__ import annotations

import io
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import aisivi
from aisivi import _api, _export, _progress, _wire
from aisivi.client import _csv_bytes
from aisivi.fit import Fit


def fit_of(**fields):
    return Fit(None, _api.message("Fit", **fields), None)


def with_evidence(name, log_z, error, **fields):
    evidence = _api.message("LogEvidence", log_z=log_z, standard_error=error)
    return fit_of(name=name, evidence=evidence, **fields)


def test_packed_numbers_are_read_as_protobuf_reads_them():
    chunk = _api.message(
        "DrawsChunk", first=2**40, count=3, dimension=2, values=range(6), log_p=[-math.inf, 0, 1],
        coordinate_names=["a", "b"],
    )
    kind = type(chunk)
    read = _wire.reader(kind)(chunk.SerializeToString())
    assert list(read.arrays["values"]) == list(chunk.values)
    assert list(read.arrays["log_p"]) == list(chunk.log_p) and not read.arrays["log_q"].size
    chunk.ClearField("values")
    chunk.ClearField("log_p")
    assert read.message == chunk
    one_by_one = b"".join(
        bytes([4 << 3 | 1]) + np.float64(value).tobytes() for value in (1.5, 2.5)
    )  # the other encoding, which readers must take as well
    assert list(_wire.reader(kind)(one_by_one).arrays["values"]) == [1.5, 2.5]
    with pytest.raises(ValueError):
        _wire.reader(kind)(bytes([1 << 3 | 7, 0]))


def test_bytes_are_read_apart_from_their_message_and_put_back():
    response = _api.message("ServeDensityResponse")
    response.batch.id, response.batch.points, response.batch.score = 2**40, 3, True
    response.batch.values = np.arange(3.0).tobytes()
    read = _wire.bytes_apart(type(response), "batch", "values")
    message, values = read(response.SerializeToString())
    assert np.array_equal(np.frombuffer(values), np.arange(3.0))
    response.batch.ClearField("values")
    assert message == response
    assert read(response.SerializeToString()) == (response, None)
    # Other fields, and what no writer of ours makes: the message in two pieces.
    other = _api.message("ServeDensityResponse")
    other.end.reason = "over"
    assert read(other.SerializeToString()) == (other, None)
    assert read(b"") == (type(other)(), None)
    twice = _api.message("ServeDensityResponse")
    twice.batch.values = np.ones(2).tobytes()
    message, values = read(response.SerializeToString() + twice.SerializeToString())
    assert values is None and message.batch.id == 2**40 and len(message.batch.values) == 16


def test_arrays_are_written_into_a_message_as_protobuf_reads_them():
    request = _api.message("ServeDensityRequest")
    request.answer.id = 7
    arrays = {2: np.arange(3.0), 3: np.arange(300.0).reshape(3, 100)[:, ::-1]}
    read = type(request).FromString(request.SerializeToString() + _wire.nested(2, arrays))
    assert read.answer.id == 7
    assert read.answer.log_density == arrays[2].tobytes()
    assert read.answer.score == np.ascontiguousarray(arrays[3]).tobytes()


def test_what_the_environment_says_of_memory_goes_before():
    program = "from aisivi import _memory; print(_memory.keep_temporaries())"

    def kept(**environment):
        environment = {**os.environ, **environment}
        # What this test itself was started with does not count.
        for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
            if environment.get(name) == os.environ.get(name):
                environment.pop(name, None)
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout.strip()

    assert kept() == "True"
    assert kept(MALLOC_TRIM_THRESHOLD_="131072") == "False"
    assert kept(GLIBC_TUNABLES="glibc.malloc.trim_threshold=131072") == "False"


def test_the_api_lives_in_a_pool_of_its_own():
    from google.protobuf import descriptor_pool

    assert _api.POOL.FindMessageTypeByName("google.rpc.Status")
    for name in ("google.rpc.Status", "aisivi.v1.Fit"):
        with pytest.raises(KeyError):
            descriptor_pool.Default().FindMessageTypeByName(name)


def event(phase, iteration, state=2, **progress):
    report = _api.message(
        "FitProgress", phase=phase, iteration=iteration, total_iterations=100, **progress
    )
    return _api.message("WatchFitResponse", state=state, progress=report)


def test_lines_tell_each_phase_and_each_tenth_once():
    out = io.StringIO()
    view = _progress.view_for(out)
    for iteration in (0, 1, 5, 10, 11, 20):
        view.show(event(3, iteration, elbo=-1.0))
    view.finish()
    expected = [f"training  {i}/100  ELBO -1.000" for i in (0, 10, 20)]
    assert out.getvalue().splitlines() == expected


def test_a_terminal_has_a_bar_that_goes():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    view = _progress.view_for(out)
    view.show(event(3, 50))
    view.finish()
    assert out.getvalue().count("━") == 15 and "50/100" in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[K") and "\n" not in out.getvalue()


def test_a_notebook_has_a_bar_of_its_own(monkeypatch):
    from types import ModuleType

    shown = []

    class Handle:
        update = staticmethod(shown.append)

    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = type("ZMQInteractiveShell", (), {})
    display.HTML, display.display = str, lambda *_, **__: Handle
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    view = _progress.view_for(io.StringIO())
    view.show(event(3, 50))
    view.finish()
    assert '<progress value="0.5000"' in shown[0] and shown[-1] == ""


def test_html_is_escaped():
    fit = with_evidence("fits/1", 1.0, 0.1, display_name="<script>&")
    text = fit._repr_html_()
    assert "&lt;script&gt;&amp;" in text and "<script" not in text
    table = aisivi.compare([fit, fit])._repr_html_()
    assert "&lt;script&gt;&amp;" in table and "<script" not in table


def test_comparison_weighs_models_by_evidence_and_prior():
    one = with_evidence("fits/1", -10.0, 0.1)
    two = with_evidence("fits/2", -10.0 + math.log(3), 0.2)
    best, other = aisivi.compare([one, two]).rows
    assert best.name == "fits/2" and other.log_bayes_factor == pytest.approx(-math.log(3))
    assert best.probability == pytest.approx(0.75) and other.probability == pytest.approx(0.25)
    # Of two models p (1 - p) times the error of the difference of their log Z.
    expected = 0.75 * 0.25 * math.hypot(0.1, 0.2)
    assert best.probability_error == pytest.approx(expected)
    assert other.probability_error == pytest.approx(expected)
    assert (best.log_bayes_factor_error, other.log_bayes_factor_error) == (
        0, pytest.approx(math.hypot(0.1, 0.2)))
    even = aisivi.compare([one, two], prior=[3, 1]).rows
    assert [row.probability for row in even] == pytest.approx([0.5, 0.5])
    assert "fits/2" in str(aisivi.compare([one, two]))


def test_comparison_bears_far_evidences_and_says_what_it_cannot_do():
    one, far = with_evidence("fits/1", -1e6, 0.1), with_evidence("fits/2", 0.0, math.inf)
    rows = aisivi.compare([one, far]).rows
    assert [row.probability for row in rows] == [1, 0]
    assert [row.probability_error for row in rows] == [1, 1]
    with pytest.raises(ValueError, match="fits/3 has no estimate"):
        aisivi.compare([one, fit_of(name="fits/3")])
    with pytest.raises(ValueError, match="at least two"):
        aisivi.compare([one])
    for prior in ([1], [1, 0], [1, math.nan]):
        with pytest.raises(ValueError, match="prior"):
            aisivi.compare([one, far], prior=prior)


def test_indexed_coordinates_become_one_variable():
    names = ("mu", "beta[1]", "beta[2]", "w[age]", "w[sex]", "a/b", "draw")
    values = np.arange(14.0).reshape(2, 7)
    found = _export.posterior(aisivi.Draws(names, values, *[np.empty(0)] * 3))
    assert found["mu"].dims == ("chain", "draw") and found["mu"].shape == (1, 2)
    assert found["beta"].dims == ("chain", "draw", "beta_dim_0")
    assert list(found["beta_dim_0"].values) == [1, 2]
    assert found["w"].sel(w_dim_0="sex").values.tolist() == [[4.0, 11.0]]
    assert found["a_b"].values.tolist() == [[5.0, 12.0]]
    assert found["draw_"].values.tolist() == [[6.0, 13.0]]
    assert found["draw"].values.tolist() == [0, 1]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    draws = aisivi.Draws(("a",), np.zeros((1, 1)), *[np.empty(0)] * 3)
    with pytest.raises(ImportError, match="pandas: install python3-pandas"):
        _export.dataframe(draws)


def test_tables_become_csv_that_reads_back():
    assert _csv_bytes([[1, 0.1], [1e300, -2]], ['a "b"', "3"]) == (
        b'"a ""b""","3"\n1,0.1\n1e+300,-2\n')
    import pandas

    assert _csv_bytes(pandas.DataFrame({"y": [1]}), None) == b'"y"\n1\n'
    for data, names in (([1.0], ["a"]), ([[1.0]], ["a", "b"]), ([[1.0]], None)):
        with pytest.raises(ValueError):
            _csv_bytes(data, names)


def test_errors_are_the_exceptions_people_catch():
    assert issubclass(aisivi.NotFoundError, LookupError)
    error = aisivi.UnavailableError("gone", code="UNAVAILABLE", retry_delay=2.0)
    assert isinstance(error, ConnectionError) and str(error) == "gone" and error.retry_delay == 2
    assert isinstance(aisivi.DeadlineExceededError("late"), TimeoutError)


def test_a_target_says_why_it_cannot_be_fitted():
    from aisivi.results import target_info_of

    info = target_info_of(_api.message("TargetInfo", name="stan", unavailable="no compiler"))
    assert info.unavailable == "no compiler" and info.known_log_z is None
