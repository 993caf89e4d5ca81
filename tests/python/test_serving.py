"""The answering side of density_service.proto, against a server that the test writes."""
from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading

import grpc
import numpy as np
import pytest
from fake_service import FakeService, OneFit, accepted, batch, end, numbers

import aisivi

POINTS = np.array([[1.0], [2.0]])


def square(x):
    return -(x**2), {"x": -2 * x}


def density(function=square, **arguments):
    return aisivi.Density(function, {"x": aisivi.Real()}, **arguments)


def test_a_fit_is_answered_for_while_it_is_waited_for():
    threads, answers = set(), []

    def function(x):
        threads.add(threading.get_ident())
        return square(x)

    def script(requests, context):
        offer = next(requests).offer
        assert offer.density == "" and offer.parameters[0].name == "x"
        yield batch(1, POINTS, check=True)
        answers.append(next(requests).answer)
        yield accepted()
        assert fits.watched.wait(30)
        # Two in flight, answered in any order; one without scores.
        yield batch(2, POINTS)
        yield batch(3, POINTS + 1, score=False)
        answers.extend([next(requests).answer, next(requests).answer])
        fits.finish(has_posterior=True)
        for _ in requests:
            pass

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        fit = fake.client.fit(density(function), seed=4)
        assert fit.state == "" and fits.created[0].target.remote.density == "densities/1"
        assert fit.density == "densities/1" and fits.created[0].seed == 4 and len(answers) == 1
        assert fit.wait(progress=False) is fit and fit.state == "succeeded"
    assert threads == {threading.get_ident()}
    by_id = {answer.id: answer for answer in answers}
    assert numbers(by_id[2].log_density).tolist() == [-1, -4]
    assert numbers(by_id[2].score).tolist() == [-2, -4]
    assert numbers(by_id[3].log_density).tolist() == [-4, -9] and not by_id[3].score


def test_fits_of_one_density_share_its_stream_and_the_last_one_ends_it():
    ended = threading.Event()

    def script(requests, context):
        next(requests)
        context.add_callback(ended.set)
        yield accepted()
        for _ in requests:
            pass

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        one = density()
        held = [fake.client.fit(one) for _ in range(2)]
        assert fits.streams == 1
        held.pop()
        gc.collect()
        assert not ended.is_set()
        held.pop()
        gc.collect()
        assert ended.wait(10)
        fake.client.fit(one)
        assert fits.streams == 2


def test_settings_are_looked_at_before_the_density_is():
    with pytest.raises(aisivi.InvalidArgumentError, match="no such setting"):
        aisivi.Client("127.0.0.1:1").fit(density(), nonsense=1)
    with pytest.raises(aisivi.InvalidArgumentError, match="takes no data"):
        aisivi.Client("127.0.0.1:1").fit(density(), {"x": 1})
    with pytest.raises(aisivi.InvalidArgumentError, match="decorate it with @aisivi.density"):
        aisivi.Client("127.0.0.1:1").fit(square)


def opening(script, one=None, **arguments):
    with FakeService({"DensityService/ServeDensity": script}) as fake:
        aisivi.serve(fake.client, one or density(), announce=None, **arguments)


def test_what_the_server_finds_wrong_at_the_opening_is_raised():
    def script(requests, context):
        next(requests)
        yield end("x: the score is 1, the difference 2")
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "x: the score is 1, the difference 2")

    with pytest.raises(aisivi.InvalidArgumentError, match="x: the score is 1"):
        opening(script)


def test_shapes_are_found_wrong_before_the_server_sees_them():
    def script(requests, context):
        next(requests)
        yield batch(1, POINTS, check=True)
        for _ in requests:
            pass

    with pytest.raises(aisivi.DensityError, match=r"^x: the gradient has the shape \(2, 1\)"):
        opening(script, density(lambda x: (x, {"x": x[:, None]})))


def test_a_server_that_says_nothing_is_not_waited_for():
    release = threading.Event()

    def script(requests, context):
        context.add_callback(release.set)
        release.wait(30)
        yield end("over")

    with pytest.raises(aisivi.DeadlineExceededError, match="does not answer"):
        opening(script, timeout=0.2)


def test_a_server_that_is_not_there_is_unavailable():
    with pytest.raises(aisivi.UnavailableError):
        aisivi.serve(aisivi.Client("127.0.0.1:1"), density(), announce=None)


def test_an_end_at_the_opening_is_told():
    def script(requests, context):
        next(requests)
        yield end("no room")

    with pytest.raises(aisivi.UnavailableError, match="no room"):
        opening(script)


def test_what_the_function_raises_ends_the_fit_and_comes_out_of_wait():
    told = []

    def script(requests, context):
        next(requests)
        yield accepted()
        assert fits.watched.wait(30)
        yield batch(7, POINTS)
        told.append(next(requests).answer)
        fits.finish()
        for _ in requests:
            pass

    def broken(x):
        raise ZeroDivisionError("no such x")

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        fit = fake.client.fit(density(broken))
        with pytest.raises(ZeroDivisionError, match="no such x"):
            fit.wait(progress=False)
        fit.wait(progress=False)  # the end
    assert (told[0].id, told[0].error) == (7, "ZeroDivisionError: no such x")
    assert not told[0].log_density


def test_an_interrupted_batch_is_answered_by_the_next_wait():
    calls, answers = [], []

    def function(x):
        calls.append(len(x))
        if len(calls) == 1:
            raise KeyboardInterrupt
        return square(x)

    def script(requests, context):
        next(requests)
        yield accepted()
        assert fits.watched.wait(30)
        yield batch(7, POINTS)
        answers.append(next(requests).answer)
        fits.finish()
        for _ in requests:
            pass

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        fit = fake.client.fit(density(function))
        with pytest.raises(KeyboardInterrupt):
            fit.wait(progress=False)
        fit.wait(progress=False)
    assert answers[0].id == 7 and not answers[0].error and calls == [2, 2]


def test_other_threads_may_ask_but_not_wait():
    def script(requests, context):
        next(requests)
        yield accepted()
        for _ in requests:
            pass

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        fit = fake.client.fit(density())
        found = []

        def other():
            found.append(fit.refresh().name)
            for wait in (fit.wait, lambda: fit.watch(print)):
                with pytest.raises(RuntimeError, match="thread that called Client.fit"):
                    wait()
                found.append("refused")

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert found == ["fits/1", "refused", "refused"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", None])
def test_a_broken_stream_is_taken_up_again_by_its_name(code):
    offers, answers = [], []

    def script(requests, context):
        offers.append(next(requests).offer.density)
        yield accepted("densities/77")
        if len(offers) == 1:
            yield batch(1, POINTS)
            if code is not None:
                yield end("gone")
                context.abort(getattr(grpc.StatusCode, code), "gone")
            return
        yield batch(1, POINTS)
        answers.append(next(requests).answer)
        fits.finish()
        for _ in requests:
            pass

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        fake.client.fit(density()).wait(progress=False)
    assert offers == ["", "densities/77"] and [answer.id for answer in answers] == [1]


def test_a_density_that_is_gone_is_told_by_its_fit():
    streams = []

    def script(requests, context):
        streams.append(next(requests).offer.density)
        if len(streams) == 1:
            yield accepted()
            return
        fits.finish(termination_reason=6)
        context.abort(grpc.StatusCode.NOT_FOUND, "no such density")

    fits = OneFit(script)
    with FakeService(fits.methods()) as fake:
        fit = fake.client.fit(density()).wait(progress=False)
        assert fit.termination == "target_lost"

    streams.clear()
    with pytest.raises(aisivi.NotFoundError, match="no such density"):
        opening(script)


def test_serve_ends_with_the_server_and_loses_patience():
    named = []

    def until_the_end(requests, context):
        assert next(requests).offer.density == "densities/5"
        yield accepted("densities/5")
        yield batch(1, POINTS)
        assert next(requests).answer.id == 1
        yield end("shutting down")

    with FakeService({"DensityService/ServeDensity": until_the_end}) as fake:
        aisivi.serve(fake.client, density(), "densities/5", announce=named.append)
    assert named == ["densities/5"]

    streams = []

    def breaks(requests, context):
        streams.append(next(requests))
        if len(streams) == 1:
            yield accepted()
        context.abort(grpc.StatusCode.UNAVAILABLE, "again")

    with pytest.raises(aisivi.UnavailableError, match="again"):
        opening(breaks, patience=0.3)
    assert len(streams) > 2


def test_calls_of_the_thread_answer_meanwhile():
    answered = threading.Event()

    def script(requests, context):
        next(requests)
        yield accepted()
        started.wait(30)
        yield batch(1, POINTS)
        next(requests)
        answered.set()
        for _ in requests:
            pass

    def draws(request, context):
        started.set()
        assert answered.wait(30)
        from aisivi import _api

        yield _api.message(
            "DrawsChunk", count=2, dimension=1, values=[1, 2], coordinate_names=["x"]
        )

    def evidence(request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "name: offline")

    started = threading.Event()
    fits = OneFit(script)
    methods = {
        **fits.methods(),
        "PosteriorService/StreamDraws": draws,
        "PosteriorService/SummarizePosterior": evidence,
    }
    with FakeService(methods) as fake:
        fit = fake.client.fit(density())
        assert fit.draws(2)["x"].tolist() == [1, 2]
        with pytest.raises(aisivi.FailedPreconditionError, match="offline"):
            fit.summary()


def test_interrupt_leaves_the_fit():
    """While the function computes, and while nothing is to be done."""

    def script(requests, context):
        next(requests)
        yield accepted()
        fits.watched.wait(30)
        for _ in range(busy):
            yield batch(1, POINTS)
        for _ in requests:
            pass

    program = (
        "import sys, time, aisivi\n"
        "def slow(x):\n"
        "    print('computing', flush=True)\n"
        "    while True: time.sleep(0.01)\n"
        "density = aisivi.Density(slow, {'x': aisivi.Real()})\n"
        "fit = aisivi.Client(sys.argv[1]).fit(density)\n"
        "print('waiting', flush=True)\n"
        "fit.wait()\n"
    )
    for busy in (0, 1):
        fits = OneFit(script)
        with FakeService(fits.methods()) as fake:
            child = subprocess.Popen(
                [sys.executable, "-c", program, f"127.0.0.1:{fake.port}"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            try:
                assert child.stdout.readline() == "waiting\n"
                if busy:
                    assert child.stdout.readline() == "computing\n"
                else:
                    assert child.stderr.readline()  # the first line of progress
                child.send_signal(signal.SIGINT)
                _, errors = child.communicate(timeout=60)
            finally:
                child.kill()
        assert "left fits/1 running; it waits for its density: wait() goes on" in errors
        assert child.returncode in (-signal.SIGINT, 130)


def test_a_server_that_shuts_down_is_not_asked_again():
    from aisivi import _api

    streams = []

    def script(requests, context):
        streams.append(next(requests))
        yield accepted()
        yield end("the server is shutting down")
        status, info = (
            _api.class_of(_api.POOL.FindMessageTypeByName(f"google.rpc.{name}"))()
            for name in ("Status", "ErrorInfo")
        )
        info.reason = "SHUTTING_DOWN"
        status.details.add(
            type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString()
        )
        details = ("grpc-status-details-bin", status.SerializeToString())
        context.set_trailing_metadata((details,))
        context.abort(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")

    with pytest.raises(aisivi.UnavailableError, match="shutting down") as caught:
        opening(script)
    assert caught.value.reason == "SHUTTING_DOWN" and len(streams) == 1
