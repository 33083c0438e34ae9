"""Tracks in the memory of the process."""

from __future__ import annotations

import threading

import pytest

from cvat_serverless.store import LocalStore
from tests.cvat_serverless.some_tracks import track

ONE = track().nbytes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_track_is_found_by_its_name():
    store, kept = LocalStore(), track()
    assert store.put(kept)
    assert store.get(kept.track_id) is kept
    assert store.get("B" * 16) is None


def test_only_a_track_that_is_farther_replaces_one_of_its_name():
    store = LocalStore()
    assert store.put(track(step=1))
    assert store.put(track(step=2))
    assert not store.put(track(step=2))
    assert not store.put(track(step=1))
    assert store.get("A" * 16).step == 2


def test_the_least_recently_used_tracks_make_room():
    store = LocalStore(3 * ONE)
    for name in "ABC":
        store.put(track(name))
    store.get("A")
    store.put(track("D"))
    assert [name for name in "ABCD" if store.get(name)] == ["A", "C", "D"]
    assert store.size() == (3, 3 * ONE)


def test_a_track_that_is_larger_than_the_store_is_not_kept():
    store = LocalStore(ONE - 1)
    store.put(track())
    assert store.size() == (0, 0)


def test_tracks_that_nobody_asked_for_in_time_are_dropped(clock):
    store = LocalStore(max_age=60, clock=clock)
    store.put(track("A"))
    store.put(track("B"))
    clock.now = 40
    store.get("A")
    clock.now = 90
    assert store.get("B") is None
    assert store.get("A") is not None


def test_an_image_leads_to_the_tracks_in_it_the_last_used_first(clock):
    store = LocalStore(clock=clock)
    for number, name in enumerate("ABC"):
        clock.now = number
        store.put(track(name, step=number))
    clock.now = 10
    store.get("A")
    assert [seen.track_id for seen in store.positions_in("image 0")] == ["A", "C", "B"]
    assert [(seen.track_id, seen.step) for seen in store.positions_in("image 2")] == [("C", 2)]
    assert store.positions_in("image 9") == []


def test_a_dropped_track_is_not_found_by_its_image_either():
    store = LocalStore(ONE)
    store.put(track("A"))
    store.put(track("B"))
    assert [seen.track_id for seen in store.positions_in("image 0")] == ["B"]


def test_threads_do_not_disturb_each_other():
    store = LocalStore(50 * ONE)

    def work(name: str) -> None:
        for step in range(40):
            store.put(track(name, step))
            store.positions_in(f"image {step}")
            store.get(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ABCDEFGH"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [store.get(name) for name in "ABCDEFGH"]
    assert store.size() == (sum(t is not None for t in held), sum(t.nbytes for t in held if t is not None))
