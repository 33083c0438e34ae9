from __future__ import annotations

from napari_sam2v.layers.later import Debounced, Throttled


def test_many_calls_become_one_run_when_it_is_quiet(later):
    runs = []
    debounced = Debounced(lambda: runs.append(1), 0.1, later)
    for _ in range(5):
        debounced()
    assert runs == []
    later.run()
    assert runs == [1]


def test_a_flush_runs_at_once_and_only_what_waits(later):
    runs = []
    debounced = Debounced(lambda: runs.append(1), 0.1, later)
    debounced.flush()
    debounced()
    debounced.flush()
    later.run()
    assert runs == [1]


def test_what_was_cancelled_does_not_run_but_a_later_call_does(later):
    runs = []
    debounced = Debounced(lambda: runs.append(1), 0.1, later)
    debounced()
    debounced.cancel()
    later.run()
    assert runs == []
    debounced()
    later.run()
    assert runs == [1]


def test_a_throttled_call_runs_at_once_and_the_next_ones_together_after_a_pause(later):
    runs = []
    throttled = Throttled(lambda: runs.append(1), 0.1, later)
    throttled()
    assert runs == [1]
    for _ in range(5):
        throttled()
    assert runs == [1]
    later.run()
    assert runs == [1, 1]


def test_a_throttled_call_that_waits_can_be_had_at_once_or_forgotten(later):
    runs = []
    throttled = Throttled(lambda: runs.append(1), 0.1, later)
    throttled()
    throttled()
    throttled.flush()
    assert runs == [1, 1]
    throttled()
    throttled.cancel()
    later.run()
    assert runs == [1, 1]
