from __future__ import annotations

from src_model.tracking.operations import Cleared, OperationLog, Propagated, Removed

FORWARD = Propagated((1, 2), 0, 0, reverse=False)


def test_operations_are_kept_in_order():
    log = OperationLog()
    log.add(Cleared(1, 3))
    log.add(Removed(1))
    assert log.operations == [Cleared(1, 3), Removed(1)]


def test_a_propagation_that_does_nothing_leaves_no_trace():
    log = OperationLog()
    log.open_propagation(FORWARD)
    assert log.operations == []


def test_a_propagation_grows_with_every_frame_so_that_one_cut_short_is_true():
    log = OperationLog()
    done = log.open_propagation(FORWARD)
    for frame in (4, 5, 6):
        done(frame, (1, 2))
    assert log.operations == [Propagated((1, 2), 4, 6, reverse=False)]


def test_what_happens_during_a_propagation_splits_it():
    log = OperationLog()
    done = log.open_propagation(FORWARD)
    done(4, (1, 2))
    log.add(Removed(2))
    done(5, (1,))
    done(6, (1,))
    assert log.operations == [Propagated((1, 2), 4, 4, False), Removed(2), Propagated((1,), 5, 6, False)]


def test_two_propagations_at_once_are_kept_apart():
    log = OperationLog()
    one, two = log.open_propagation(Propagated((1,), 0, 0, False)), log.open_propagation(Propagated((2,), 0, 0, True))
    one(0, (1,))
    two(9, (2,))
    one(1, (1,))
    assert [(each.object_ids, each.first, each.last) for each in log.operations] == [
        ((1,), 0, 0),
        ((2,), 9, 9),
        ((1,), 1, 1),
    ]


def test_live_frames_are_merged_while_the_objects_stay_the_same():
    log = OperationLog()
    for frame in (0, 1, 2):
        log.add_pushed((1,), frame)
    log.add_pushed((1, 2), 3)
    assert log.operations == [
        Propagated((1,), 0, 2, False, kind="push"),
        Propagated((1, 2), 3, 3, False, kind="push"),
    ]


def test_a_log_may_start_with_what_a_file_held():
    earlier = [Removed(1)]
    log = OperationLog(earlier)
    log.add(Removed(2))
    assert log.operations == [Removed(1), Removed(2)]
    assert earlier == [Removed(1)]
