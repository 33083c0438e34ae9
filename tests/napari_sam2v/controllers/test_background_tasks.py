from __future__ import annotations

import threading

import pytest

from napari_sam2v.controllers.background_tasks import BackgroundTasks
from src_model.errors import FormatError, StoppedError
from tests.napari_sam2v.controllers.headless_user import Host


class Setup:
    def __init__(self):
        self.host = Host()
        self.shown, self.reported, self.done = [], [], []
        self.tasks = BackgroundTasks(self.host.post, self.shown.append, self.reported.append, name="files")

    def run(self, work):
        self.tasks.run("Writing", work, self.done.append)

    def wait(self):
        self.host.turn(lambda: not self.tasks.is_running)


@pytest.fixture
def setup():
    setup = Setup()
    yield setup
    setup.tasks.close()


def test_the_result_comes_back_on_the_main_thread(setup):
    threads = []
    setup.run(lambda progress, cancelled: threads.append(threading.current_thread()) or 7)
    assert setup.shown[0].text == "Writing"
    setup.wait()
    assert setup.done == [7]
    assert threads[0] is not threading.current_thread()
    assert setup.shown[-1] is None
    assert setup.reported == []


def test_an_error_is_reported_and_the_next_task_can_begin(setup):
    def fail(progress, cancelled):
        raise FormatError("there is nothing to export")

    setup.run(fail)
    setup.wait()
    assert [str(error) for error in setup.reported] == ["there is nothing to export"]
    setup.run(lambda progress, cancelled: 1)
    setup.wait()
    assert setup.done == [1]


def test_only_a_defect_leaves_a_traceback(setup, caplog):
    def unusable(progress, cancelled):
        raise FormatError("there is nothing to export")

    def defect(progress, cancelled):
        raise KeyError("a defect")

    for work in (unusable, defect):
        setup.run(work)
        setup.wait()
    assert len(setup.reported) == 2
    assert [record.exc_info[1] for record in caplog.records] == setup.reported[1:]


def test_a_task_can_be_stopped_without_a_word(setup):
    def work(progress, cancelled):
        while not cancelled():
            pass
        raise StoppedError("stopped")

    setup.run(work)
    setup.tasks.stop()
    setup.wait()
    assert setup.reported == []
    assert setup.done == []


def test_one_task_at_a_time_and_a_second_one_is_refused_in_words(setup):
    begun = threading.Event()
    setup.run(lambda progress, cancelled: begun.wait(10))
    setup.run(lambda progress, cancelled: 2)
    assert "'Writing' is under way" in str(setup.reported[0])
    begun.set()
    setup.wait()
    assert setup.done == [True]


def test_what_must_finish_is_waited_for_and_handed_over_before_the_window_closes(setup):
    begun = threading.Event()
    threading.Timer(0.1, begun.set).start()
    setup.tasks.run("Saving", lambda progress, cancelled: begun.wait(10), setup.done.append, must_finish=True)
    setup.tasks.close(timeout=0)
    assert setup.done == [True]
    setup.host.turn(lambda: True)
    assert setup.done == [True], "once"
