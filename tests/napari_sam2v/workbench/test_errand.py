from __future__ import annotations

import threading

import pytest

from napari_sam2v.workbench.errand import Errands
from src_model.errors import FormatError, StoppedError
from tests.napari_sam2v.workbench.bench import Host


class Desk:
    def __init__(self):
        self.host = Host()
        self.shown, self.told, self.done = [], [], []
        self.errands = Errands(self.host.post, self.shown.append, self.told.append)

    def run(self, work):
        self.errands.run("Writing", work, self.done.append)

    def wait(self):
        self.host.turn(lambda: not self.errands.is_running)


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.errands.close()


def test_the_result_comes_back_on_the_hosts_thread(desk):
    threads = []
    desk.run(lambda progress, cancelled: threads.append(threading.current_thread()) or 7)
    assert desk.shown[0].text == "Writing"
    desk.wait()
    assert desk.done == [7]
    assert threads[0] is not threading.current_thread()
    assert desk.shown[-1] is None
    assert desk.told == []


def test_an_error_is_told_and_the_next_errand_can_begin(desk):
    def fail(progress, cancelled):
        raise FormatError("there is nothing to export")

    desk.run(fail)
    desk.wait()
    assert [str(error) for error in desk.told] == ["there is nothing to export"]
    desk.run(lambda progress, cancelled: 1)
    desk.wait()
    assert desk.done == [1]


def test_only_a_defect_leaves_a_traceback(desk, caplog):
    def unusable(progress, cancelled):
        raise FormatError("there is nothing to export")

    def defect(progress, cancelled):
        raise KeyError("a defect")

    for work in (unusable, defect):
        desk.run(work)
        desk.wait()
    assert len(desk.told) == 2
    assert [record.exc_info[1] for record in caplog.records] == desk.told[1:]


def test_an_errand_can_be_stopped_without_a_word(desk):
    def work(progress, cancelled):
        while not cancelled():
            pass
        raise StoppedError("stopped")

    desk.run(work)
    desk.errands.cancel()
    desk.wait()
    assert desk.told == []
    assert desk.done == []


def test_one_errand_at_a_time_and_a_second_one_is_refused_in_words(desk):
    begun = threading.Event()
    desk.run(lambda progress, cancelled: begun.wait(10))
    desk.run(lambda progress, cancelled: 2)
    assert "'Writing' is under way" in str(desk.told[0])
    begun.set()
    desk.wait()
    assert desk.done == [True]


def test_what_must_finish_is_waited_for_and_handed_over_before_the_desk_closes(desk):
    begun = threading.Event()
    threading.Timer(0.1, begun.set).start()
    desk.errands.run("Saving", lambda progress, cancelled: begun.wait(10), desk.done.append, must_finish=True)
    desk.errands.close(timeout=0)
    assert desk.done == [True]
    desk.host.turn(lambda: True)
    assert desk.done == [True], "once"
