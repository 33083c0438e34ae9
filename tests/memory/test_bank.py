"""What a memory bank holds, and for how long."""

from __future__ import annotations

from src_model.tracking.settings import PRESETS
from tests.memory.banks import bank_with, entry

DEFAULT, OFFICIAL = PRESETS["default"], PRESETS["official"]


def with_memory(bank) -> list[int]:
    return sorted(frame for frame, held in bank.recent.items() if held.memory is not None)


def test_only_frames_around_the_last_tracked_one_are_remembered():
    bank = DEFAULT.new_memory_bank()
    for frame in range(100):
        bank.remember(frame, entry())
    assert sorted(bank.recent) == list(range(84, 100))


def test_turning_round_drops_what_is_too_far_away():
    bank = bank_with([], range(40, 50))
    bank.remember(33, entry())
    assert sorted(bank.recent) == [33, *range(40, 49)]


def test_the_official_preset_remembers_everything():
    bank = OFFICIAL.new_memory_bank()
    for frame in range(100):
        bank.remember(frame, entry())
    assert len(bank.recent) == 100


def test_of_many_prompted_frames_all_are_known_and_the_last_sixteen_keep_their_memory():
    bank = bank_with(range(40))
    assert sorted(bank.conditioning) == list(range(40))
    assert [frame for frame, held in bank.conditioning.items() if held] == [0, *range(25, 40)]


def test_the_first_prompted_frame_keeps_its_memory_because_it_is_always_seen():
    bank = bank_with([*range(1, 40), 0, *range(40, 80)])
    assert bank.conditioning[0] is not None
    assert sum(held is not None for held in bank.conditioning.values()) == 16


def test_prompting_a_frame_again_moves_it_to_the_prompted_ones_and_renews_it():
    bank = bank_with([], [3])
    newer = entry()
    bank.condition(3, newer)
    assert bank.recent == {}
    assert bank.entry(3) is newer


def test_a_forgotten_frame_is_held_nowhere():
    bank = bank_with([3], [4])
    bank.forget(3)
    bank.forget(4)
    bank.forget(5)
    assert bank.entry(3) is None
    assert bank.entry(4) is None
    assert not bank.conditioning


def test_the_six_latest_frames_keep_their_spatial_memory_and_the_others_their_pointer():
    bank = DEFAULT.new_memory_bank()
    for frame in range(100):
        bank.remember(frame, entry())
    assert with_memory(bank) == list(range(94, 100))
    assert [frame for frame, held in bank.recent.items() if held.logits is not None] == [99]
    assert bank.nbytes == 6 * 4096 + 16 * (1024 + 4) + 64


def test_turning_round_holds_no_more_spatial_memories():
    bank = DEFAULT.new_memory_bank()
    for frame in (*range(40), *range(39, 20, -1)):
        bank.remember(frame, entry())
        assert len(with_memory(bank)) <= 6
    assert with_memory(bank) == list(range(21, 27))


def test_what_is_dropped_of_an_entry_stays_with_whoever_else_holds_it():
    bank, shared = bank_with([], [3]), entry()
    bank.recent[3] = shared
    bank.remember(12, entry())
    assert bank.recent[3].memory is None
    assert shared.memory is not None


def test_a_prompted_frame_keeps_the_logits_that_corrections_start_from():
    bank = bank_with([0], [])
    for frame in range(1, 30):
        bank.remember(frame, entry())
    assert bank.conditioning[0].logits is not None
    assert bank.conditioning[0].memory is not None


def test_frames_may_be_kept_around_more_than_one():
    bank = bank_with([], range(60))
    bank.retain(20, 50)
    assert sorted(bank.recent) == list(range(5, 60))
    assert with_memory(bank) == [*range(15, 26), *range(45, 56)]


def test_an_expected_frame_is_known_as_prompted_and_holds_nothing_yet():
    bank = bank_with([], [4])
    bank.expect(4)
    assert bank.conditioning == {4: None}
    assert not bank.recent


def test_a_frame_made_again_is_what_it_was():
    bank, again = bank_with([1]), entry()
    bank.expect(3)
    for frame in (1, 3, 4):
        bank.restore(frame, again)
    assert bank.conditioning == {1: again, 3: again}
    assert bank.recent == {4: again}
