"""Actions, undo, redo and jumps in any order: whatever a user does, these things hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from unittest import mock

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from src_model.document import DocumentView, Patch, load, save
from src_model.document import state as state_module
from src_model.errors import Sam2vError
from tests.document.any_action import IDS, any_edit, any_group, any_lock
from tests.document.sample import LENGTH, document, entry

randoms = st.integers(0, 2**32 - 1).map(Random)


def locked_cells(view: DocumentView) -> dict:
    """What no edit may change: masks and prompts of locked frames and objects."""
    return {
        (object_id, frame): (view.frame(object_id, frame), view.prompt(object_id, frame))
        for object_id in view.objects
        for frame in range(LENGTH)
        if view.is_locked(object_id, frame)
    }


class AnyOrder(RuleBasedStateMachine):
    """A user, and what the document has to be after each step."""

    @initialize()
    def begin(self):
        # Few objects are read together here already, so that this is tried as well.
        self.together = mock.patch.object(state_module, "_MANY_OBJECTS", 2)
        self.together.start()
        self.annotation = document()
        self.known = {self.current(): self.state()}
        self.views = []

    def state(self) -> Patch:
        return self.annotation.contents()

    def current(self) -> int:
        return next((step.number for step in self.annotation.steps() if step.current), 0)

    def attempt(self, action, **options):
        before = self.state()
        try:
            done = self.annotation.do(action, **options)
        except Sam2vError:
            assert self.state() == before
            return
        if done.step is None:
            assert self.state() == before
        else:
            self.known[done.step] = self.state()

    @rule(random=randoms)
    def edit(self, random):
        before = locked_cells(self.annotation)
        self.attempt(any_edit(random, self.annotation))
        assert locked_cells(self.annotation) == before

    @rule(random=randoms)
    def edit_several_times_in_one_step(self, random):
        self.attempt(any_edit(random, self.annotation))
        for _ in range(3):
            self.attempt(any_edit(random, self.annotation), join=self.current())

    @rule(random=randoms)
    def lock(self, random):
        self.attempt(any_lock(random, self.annotation))

    @rule(random=randoms)
    def group(self, random):
        self.attempt(any_group(random, self.annotation))

    @rule(random=randoms)
    def track_to_and_fro(self, random):
        before, tip = locked_cells(self.annotation), self.current()
        with self.annotation.propagation(keep_edited=random.random() < 0.5) as tracking:
            for frame in (*range(4, 8), *range(6, 3, -1)):
                y = random.randrange(9)
                objects = random.sample(IDS, random.choice([1, 3, 5]))
                tracking.add(frame, {object_id: entry(y, frame) for object_id in objects})
        assert locked_cells(self.annotation) == before
        if self.current() != tip:
            self.known[self.current()] = self.state()

    @rule()
    def undo(self):
        self.annotation.undo()

    @rule()
    def redo_what_was_undone_last(self):
        state = self.state()
        if self.annotation.undo() is not None:
            self.annotation.redo()
            assert self.state() == state
        self.annotation.redo()

    @rule(random=randoms)
    def go_to(self, random):
        self.annotation.go_to(random.choice(sorted(self.known)))

    @rule()
    def look(self):
        self.views = [*self.views[-2:], (self.annotation.snapshot(), self.state())]

    @rule()
    def close_and_open(self):
        """Go on with the file, and with the history in it."""
        before, steps = self.state(), self.annotation.steps()
        with tempfile.TemporaryDirectory() as folder:
            self.annotation = load(save(self.annotation, Path(folder) / "a.sam2v"))
        assert self.state() == before
        assert self.annotation.steps() == steps

    @invariant()
    def all_is_well(self):
        if not hasattr(self, "annotation"):
            return
        state = self.state()
        assert state == self.known.get(self.current(), state), "the document is what it was when the step was made"
        by_frame = [{n: masks[t] for n, masks in state.masks.items() if t in masks} for t in range(LENGTH)]
        # One by one before all of a frame, which would be remembered.
        alone = [{n: self.annotation.frame(n, t) for n in state.objects} for t in range(LENGTH)]
        assert [{n: entry for n, entry in each.items() if entry is not None} for each in alone] == by_frame
        assert [self.annotation.masks_at(t) for t in range(LENGTH)] == by_frame
        for view, then in self.views:
            assert view.contents() == then, "a snapshot stays what it was"
        assert list(state.objects) == sorted(state.objects)
        assert list(state.divisions) == sorted(state.divisions)
        for table in (*state.prompts.values(), *state.masks.values()):
            assert list(table) == sorted(table)

    def teardown(self):
        if hasattr(self, "annotation"):
            self.close_and_open()
            self.together.stop()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_session_holds_together(seed):
    random, user = Random(seed), AnyOrder()
    user.begin()
    for _ in range(120):
        act = random.choice(
            [user.edit, user.edit, user.edit_several_times_in_one_step, user.lock, user.group, user.track_to_and_fro]
        )
        act(random=random)
        user.all_is_well()
        if random.random() < 0.2:
            random.choice([user.undo, user.redo_what_was_undone_last, user.look, lambda: user.go_to(random=random)])()
            user.all_is_well()
    user.teardown()
