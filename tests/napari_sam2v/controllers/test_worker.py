"""The worker: one job at a time, in order, the newest of a kind wins, and stopping keeps what is done."""

from __future__ import annotations

import threading
import time

import pytest

from napari_sam2v.controllers import Job, Worker
from src_model.errors import NoPromptError
from tests.napari_sam2v.controllers.headless_user import Host


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def worker(host):
    worker = Worker(host.post)
    yield worker
    worker.close()


def finish(host, worker):
    host.turn(lambda: not worker.is_busy() and host._calls.empty(), 20)


def job(log, key, work, prepare=lambda: None):
    return Job(key, prepare, work, log.append, lambda end: log.append((key, end.stopped, end.error)))


def test_results_and_the_end_come_in_order(host, worker):
    log = []
    worker.submit(job(log, "a", lambda _: iter([1, 2])))
    worker.submit(job(log, "b", lambda _: iter([3])))
    finish(host, worker)
    assert log == [1, 2, ("a", False, None), 3, ("b", False, None)]


def test_work_sees_what_was_prepared_on_the_main_thread(host, worker):
    log = []
    here = threading.current_thread()
    worker.submit(job(log, "a", iter, prepare=lambda: [threading.current_thread() is here]))
    finish(host, worker)
    assert log[0] is True


def test_preparing_sees_the_results_of_earlier_jobs(host, worker):
    log, seen = [], []
    worker.submit(job(log, "a", lambda _: iter([1, 2, 3])))
    worker.submit(job(log, "b", lambda _: iter(()), prepare=lambda: seen.append(log[:3])))
    finish(host, worker)
    assert seen == [[1, 2, 3]]


def test_the_newest_waiting_job_of_a_kind_wins(host, worker):
    log = []
    gate = threading.Event()

    def slow(_):
        gate.wait(10)
        yield "slow"

    worker.submit(job(log, "slow", slow))
    worker.submit(job(log, "prompt", lambda _: iter(["older"])))
    worker.submit(job(log, "prompt", lambda _: iter(["newer"])))
    gate.set()
    finish(host, worker)
    assert "older" not in log
    assert "newer" in log


def test_a_stopped_job_keeps_its_results_and_closes_its_work(host, worker):
    log, closed = [], []

    def endless(_):
        try:
            number = 0
            while True:
                yield (number := number + 1)
        finally:
            closed.append(True)

    worker.submit(job(log, "run", endless))
    host.turn(lambda: len(log) >= 3, 20)
    worker.stop("run")
    finish(host, worker)
    assert log[:3] == [1, 2, 3]
    assert log[-1] == ("run", True, None)
    assert closed == [True]


def brief(log, key, work):
    return Job(
        key, lambda: None, work, log.append, lambda end: log.append((key, end.stopped, end.error)), is_brief=True
    )


def test_a_brief_job_is_done_between_the_results_of_a_long_one(host, worker):
    log = []
    worker.submit(job(log, "long", lambda _: iter(range(6))))
    host.turn(lambda: 1 in log)
    worker.submit(brief(log, "brief", lambda _: iter(["answer"])))
    finish(host, worker)
    assert log.index("answer") < log.index(5)
    assert [entry for entry in log if isinstance(entry, int)] == list(range(6))
    assert log[-1] == ("long", False, None)


def test_a_brief_job_that_fails_leaves_the_long_one_running(host, worker):
    log = []

    def fails(_):
        raise NoPromptError("gone")

    worker.submit(job(log, "long", lambda _: iter(range(6))))
    host.turn(lambda: 1 in log)
    worker.submit(brief(log, "brief", fails))
    finish(host, worker)
    assert str(next(entry for entry in log if isinstance(entry, tuple))[2]) == "gone"
    assert log[-1] == ("long", False, None)


def test_a_runner_is_closed_while_a_brief_job_waits_for_the_host(host, worker):
    log = []
    worker.submit(job(log, "long", lambda _: iter(range(6))))
    host.turn(lambda: 0 in log)
    worker.submit(brief([], "brief", iter))
    wait_until(lambda: not worker._waiting)
    worker.close(timeout=5)
    assert not worker._thread.is_alive()


def wait_until(done):
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worker_does_not_run_far_ahead_of_a_busy_host(host, worker):
    made = []

    def endless(_):
        while True:
            made.append(1)
            yield 1

    worker.submit(job([], "run", endless))
    host.turn(lambda: len(made) > 0, 20)
    threading.Event().wait(0.3)
    assert len(made) <= 4
    worker.stop("run")


def test_a_failure_is_reported_and_the_next_job_runs(host, worker):
    log = []

    def fails(_):
        yield 1
        raise ValueError("no")

    worker.submit(job(log, "a", fails))
    worker.submit(job(log, "b", lambda _: iter([2])))
    finish(host, worker)
    assert log[0] == 1
    assert str(log[1][2]) == "no"
    assert log[2] == 2


def test_a_failed_preparation_is_a_failed_job(host, worker):
    log = []

    def fails():
        raise ValueError("not now")

    worker.submit(job(log, "a", lambda _: iter([1]), prepare=fails))
    finish(host, worker)
    assert [str(entry[2]) for entry in log] == ["not now"]


def test_an_error_of_use_is_told_and_leaves_no_traceback(host, worker, caplog):
    log = []

    def fails():
        raise NoPromptError("click something first")

    worker.submit(job(log, "a", lambda _: iter([1]), prepare=fails))
    finish(host, worker)
    assert [str(entry[2]) for entry in log] == ["click something first"]
    assert caplog.records == []


def test_a_defect_is_told_and_its_traceback_logged(host, worker, caplog):
    log = []

    def fails(_):
        raise KeyError("a defect")

    worker.submit(job(log, "a", fails))
    finish(host, worker)
    assert isinstance(log[0][2], KeyError)
    assert caplog.records[0].exc_info[1] is log[0][2]


def test_a_closed_runner_takes_no_jobs_and_leaves_no_thread(host):
    worker = Worker(host.post)
    log = []
    worker.submit(job(log, "a", lambda _: iter([1])))
    finish(host, worker)
    worker.close()
    worker.submit(job(log, "b", lambda _: iter([2])))
    assert 2 not in log
    assert not any(thread.name == "sam2v worker" for thread in threading.enumerate())
