"""Actions, undo, redo and jumps in any order: whatever a user does, these things hold."""

from __future__ import annotations

import io
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from src_model.annotation.codec import decode, encode
from src_model.annotation.container import read_container, write_container
from src_model.annotation.schema import Manifest
from src_model.annotation.state import State
from src_model.errors import Sam2vError
from tests.annotation.any_action import IDS, any_edit, any_group, any_lock
from tests.annotation.sample import LENGTH, document, entry

randoms = st.integers(0, 2**32 - 1).map(Random)


def locked_cells(state: State) -> dict:
    """What no edit may change: masks and prompts of locked frames and objects."""
    cells = {}
    for object_id, track in state.tracks.items():
        for frame in range(LENGTH) if track.info.locked else track.locked:
            cells[object_id, frame] = (track.frame(frame), track.prompts.get(frame))
    return cells


def read_back(state: State) -> State:
    """A document as it comes back from a file."""
    record, arrays = encode(state.as_patch())
    file = io.BytesIO()
    write_container(file, Manifest(program="0", saved_at=0.0, content=record).model_dump_json(), arrays)
    head, arrays = read_container(file, "memory")
    patch = decode(Manifest.model_validate(head).content, arrays)
    restored = State(patch.project)
    restored.apply(patch)
    return restored


class AnyOrder(RuleBasedStateMachine):
    """A user, and what the document has to be after each step."""

    @initialize()
    def begin(self):
        self.annotation = document()
        self.mirror = self.state()
        self.annotation.events.patched.connect(self.mirror.apply)
        self.known = {self.current(): self.state()}

    def state(self) -> State:
        return self.annotation.snapshot().state

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
        before = locked_cells(self.state())
        self.attempt(any_edit(random, self.state()))
        after = self.state()
        for (object_id, frame), cell in before.items():
            track = after.tracks[object_id]
            assert (track.frame(frame), track.prompts.get(frame)) == cell

    @rule(random=randoms)
    def edit_several_times_in_one_step(self, random):
        self.attempt(any_edit(random, self.state()))
        for _ in range(3):
            self.attempt(any_edit(random, self.state()), join=self.current())

    @rule(random=randoms)
    def lock(self, random):
        self.attempt(any_lock(random, self.state()))

    @rule(random=randoms)
    def group(self, random):
        self.attempt(any_group(random, self.state()))

    @rule(random=randoms)
    def track_to_and_fro(self, random):
        before, tip = locked_cells(self.state()), self.current()
        with self.annotation.propagation(keep_edited=random.random() < 0.5) as tracking:
            for frame in (*range(4, 8), *range(6, 3, -1)):
                y = random.randrange(9)
                tracking.add(frame, {object_id: entry(y, frame) for object_id in random.sample(IDS, 3)})
        assert locked_cells(self.state()) == before
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

    @invariant()
    def all_is_well(self):
        if not hasattr(self, "annotation"):
            return
        state = self.state()
        assert state == self.known.get(self.current(), state), "the document is what it was when the step was made"
        assert state == self.mirror, "whoever heard all patches has the same document"
        state.check_divisions()
        assert list(state.tracks) == sorted(state.tracks)
        assert list(state.divisions) == sorted(state.divisions)
        for track in state.tracks.values():
            assert list(track.prompts) == sorted(track.prompts)
            assert list(track.masklet.frames) == sorted(track.masklet.entries())

    def teardown(self):
        if hasattr(self, "annotation"):
            assert read_back(self.state()) == self.state()


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
            random.choice([user.undo, user.redo_what_was_undone_last, lambda: user.go_to(random=random)])()
            user.all_is_well()
    user.teardown()
