"""A fit from its creation to its deletion, through a server."""
from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

import aisivi

ENDLESS = {"iterations": 10_000_000, "points": 16, "warm_start": "none"}


def ended(fit):
    """Ends a fit and waits for it."""
    fit.cancel()
    return fit.wait(progress=False)


def test_a_fit_tells_how_it_ended(banana):
    assert banana.state == "succeeded" and banana.has_posterior and banana.target == "banana"
    assert banana.message.seed == 3 and banana.message.schedule.iterations == 40
    evidence = banana.log_evidence()
    assert abs(evidence.log_z) < 1 and evidence.draws == 300
    assert evidence.elbo_lower <= evidence.elbo_upper + 1e-9
    assert banana.verdict.grade in ("good", "usable", "do_not_trust")
    assert {"gap", "mode_search"} <= {c.name for c in banana.verdict.criteria}
    assert "&lt;b&gt;bold&lt;/b&gt;" in banana._repr_html_()
    assert banana.seconds > 0 and "<th>seconds</th>" in banana._repr_html_()
    history = banana.history()
    assert len({len(curve) for curve in history.values()}) == 1
    assert "training" in history["phase"] and np.isfinite(history["elbo"]).any()
    assert history["elapsed"][-1] > 0


def test_draws_have_names_and_seeds(banana):
    draws = banana.draws(50, seed=4)
    array = banana.draws_array(50, seed=4)
    assert array.shape == (50, 2)
    assert np.array_equal(np.column_stack(list(draws.values())), array)
    coordinates = banana.draws(50, seed=4, unconstrained=True)
    assert tuple(coordinates) == banana.names
    assert np.array_equal(np.column_stack(list(coordinates.values())), array)
    assert not np.array_equal(array, banana.draws_array(50, seed=5))
    found = banana.draw_set(50, seed=4)
    assert np.array_equal(found.values, array)
    assert np.allclose(found.log_p - found.log_q, found.log_weight)
    # The banana's density, from its definition in target.proto.
    u, v = array[:, 0], array[:, 0] ** 2 + array[:, 1] + 1
    determinant = 1 - 0.9**2
    quadratic = (u * u - 1.8 * u * v + v * v) / determinant
    expected = -0.5 * quadratic - np.log(2 * np.pi) - 0.5 * np.log(determinant)
    assert np.allclose(found.log_p, expected)
    assert banana.draw_set(20, resample=True, force=True).log_weight.size == 0
    with pytest.raises(ValueError, match="count"):
        banana.draws(0)


def test_many_draws_come_in_one_array(banana):
    array = banana.draws_array(100_000)
    assert array.shape == (100_000, 2) and np.isfinite(array).all()
    assert np.array_equal(array[:1000], banana.draws_array(1000))


def test_densities_are_those_of_the_posterior(banana):
    points = banana.draws_array(3, unconstrained=True)
    log_q, scores = banana.log_prob(points, seed=1), banana.score(points, seed=1)
    assert log_q.shape == (3,) and scores.shape == (3, 2)
    assert banana.log_prob(points[0], seed=1) == pytest.approx(log_q[0], abs=0.5)
    assert banana.score(points[0], seed=1).shape == (2,)
    again = banana.log_evidence(draws=200, seed=2)
    assert again.draws == 200 and abs(again.log_z) < 1


def test_summary_is_of_the_draws(banana):
    summary = banana.summary(count=2000, probabilities=[0.1, 0.9])
    draws = banana.to_dataframe(2000)
    for name, found in summary.items():
        assert found.mean == pytest.approx(draws[name].mean())
        assert found.sd == pytest.approx(draws[name].std(ddof=1))
        assert list(found.quantiles) == [0.1, 0.9]


def test_other_packages_read_the_draws(client, banana, tmp_path):
    import xarray

    frame = banana.to_dataframe(10, seed=1)
    assert np.array_equal(frame.to_numpy(), banana.draws_array(10, seed=1))
    assert dict(banana.to_xarray(10).sizes)["chain"] == 1
    x, y = np.array([[1.0, 0.5], [1.0, -0.5], [1.0, 2.0]]), np.array([1.0, 0.0, 2.0])
    fit = client.fit("linear_regression", {"x": x, "y": y}, method="gaussian", seed=1)
    fit.wait(progress=False)
    file = tmp_path / "posterior.nc"
    for _ in range(2):  # the second takes the place of the first
        fit.to_netcdf(file, count=20)
    open_group = lambda group: xarray.load_dataset(file, group=group, engine="h5netcdf")
    posterior, stats = open_group("posterior"), open_group("sample_stats")
    assert posterior.attrs["inference_library"] == "aisivi" and posterior.attrs["created_at"]
    draws = fit.draw_set(20)
    assert set(posterior.dims) >= {"chain", "draw"} and posterior.sizes["draw"] == 20
    assert draws.names == ("beta[1]", "beta[2]", "sigma")
    for name, values in fit.draws(20).items():
        assert np.array_equal(posterior[name].values[0], values)
    assert np.array_equal(stats["lp"].values[0], draws.log_p)
    assert set(stats.data_vars) == {"lp", "log_q", "log_weight"}
    assert np.array_equal(open_group("observed_data")["y"].values, y)
    assert np.array_equal(open_group("constant_data")["x"].values, x)


def test_data_sets_name_the_coordinates_and_evidences_compare(client, tmp_path):
    generator = np.random.default_rng(1)
    table = generator.normal(size=(40, 3))
    table[:, 0] = table[:, 1] + 0.1 * table[:, 0]
    stored = client.upload_dataset(table, ["y", "age", "noise"], display_name="made up")
    assert stored.columns == ("y", "age", "noise") and stored.rows == 40
    file = tmp_path / "again.csv"
    file.write_text("y,age\n1,2\n3,4\n5,7\n")
    assert client.upload_dataset(file).columns == ("y", "age")
    fits = [
        client.fit(
            "linear_regression", dataset=stored, response="y", predictors=[name], intercept=True,
            method="gaussian", display_name=name,
        )
        for name in ("noise", "age")
    ]
    for fit in fits:
        fit.wait(progress=False)
    assert fits[1].names[:2] == ("beta[intercept]", "beta[age]")
    best, other = aisivi.compare(fits).rows
    assert best.display_name == "age" and best.probability > 0.99
    # log Z of the linear regression is known exactly.
    known = fits[1].message.known_log_z
    assert abs(best.log_z - known) < 5 * best.log_z_error + 0.05


def test_targets_and_fits_are_listed(client, banana):
    targets = {info.name: info for info in client.targets()}
    assert {"banana", "gaussian", "logistic_regression"} <= set(targets)
    assert targets["gaussian"].parameters[0].kind == "vector"
    assert targets["banana"].known_log_z == 0 and targets["logistic_regression"].takes_dataset
    labelled = client.fit("banana", labels={"owner": "ann"}, method="gaussian")
    assert [f.name for f in client.fits("labels.owner=ann")] == [labelled.name]
    assert len(client.fits(limit=1)) == 1 and client.get_fit(banana.name).state == "succeeded"
    labelled.wait(progress=False)
    labelled.delete()
    assert client.fits("labels.owner=ann") == []
    with pytest.raises(aisivi.NotFoundError):
        labelled.refresh()


def test_errors_of_the_service_carry_their_fields(client, banana):
    with pytest.raises(aisivi.InvalidArgumentError) as caught:
        client.fit("gaussian", {"mean": [0, np.nan], "covariance": np.eye(2)}, points=0)
    fields = [v.field for v in caught.value.violations]
    assert "fit.target.gaussian.mean" in fields or "fit.schedule.points" in fields
    assert caught.value.code == "INVALID_ARGUMENT"
    assert all(v.description for v in caught.value.violations)
    with pytest.raises(aisivi.InvalidArgumentError) as caught:
        banana.log_prob(np.zeros((2, 3)))
    assert caught.value.violations[0].field == "points"
    with pytest.raises(aisivi.InvalidArgumentError, match="line 2"):
        client.upload_dataset([[np.nan]], ["a"])


def test_a_running_fit_is_watched_cancelled_and_not_deleted(client):
    fit = client.fit("banana", **ENDLESS)
    assert fit.verdict is None
    with pytest.raises(ValueError, match="no estimate"):
        fit.log_evidence()
    with pytest.raises(aisivi.FailedPreconditionError) as caught:
        fit.draws(1)
    assert str(caught.value).startswith("name: ")
    with pytest.raises(aisivi.FailedPreconditionError):
        fit.delete()
    with pytest.raises(aisivi.DeadlineExceededError):
        fit.wait(progress=False, timeout=0.3)
    events = []

    def stop_at_training(event):
        events.append(event)
        if event.progress.iteration > 0:
            fit.cancel()

    watched = fit.watch(stop_at_training, timeout=60)
    assert watched is fit and fit.state == "cancelled" and events[-1].HasField("fit")
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))


def test_an_exception_of_the_callback_ends_the_watch_alone(client):
    fit = client.fit("banana", **ENDLESS)

    def fail(event):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fit.watch(fail)
    assert fit.refresh().state in ("queued", "running")
    assert ended(fit).state == "cancelled"


def test_interrupt_leaves_the_fit_running(server, client):
    fit = client.fit("banana", **ENDLESS)
    program = (
        "import aisivi, sys\n"
        "fit = aisivi.Client(sys.argv[1]).get_fit(sys.argv[2])\n"
        "print('waiting', flush=True)\n"
        "fit.wait()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, server.address, fit.name],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    assert child.stdout.readline() == "waiting\n"
    # A line of progress: it waits for events now.
    assert child.stderr.readline()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors and f"left {fit.name} running" in errors
    assert child.returncode in (-signal.SIGINT, 130)
    assert fit.refresh().state in ("queued", "running")
    ended(fit)


class Relay:
    """Passes connections on to a server, and can break them."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._to = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            pair = (near, socket.create_connection(self._to))
            self._pairs.append(pair)
            for a, b in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def break_connections(self):
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self._listener.close()
        self.break_connections()


def test_a_broken_connection_is_taken_up_again(server, client):
    relay = Relay(server.address)
    fit = client.fit("banana", **ENDLESS)
    with aisivi.Client(relay.address) as far:
        sequences = []

        def note(event):
            sequences.append(event.sequence)
            if len(sequences) == 2:
                relay.break_connections()
            elif len(sequences) == 3:
                client.get_fit(fit.name).cancel()

        watched = far.get_fit(fit.name).watch(note, timeout=60)
    relay.close()
    assert watched.state == "cancelled" and len(sequences) >= 3
    assert sequences == sorted(set(sequences))


def test_a_server_that_is_not_there_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
    with aisivi.Client(address) as nobody:
        with pytest.raises(aisivi.UnavailableError):
            nobody.targets()
        with pytest.raises(aisivi.UnavailableError):
            aisivi.Fit(nobody._transport, aisivi._api.message("Fit", name="fits/1"), 5).wait(
                progress=False, patience=0)
