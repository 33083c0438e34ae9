from __future__ import annotations

import pytest

from src_model.errors import EvaluationError
from src_model.evaluation.records import CellScores, RecordFile, UnitKey, UnitRecord
from src_model.evaluation.scoring import ObjectScores, RoundScores

SETTINGS = {"model": {"name": "tiny"}, "frames": None}


def record(movie: str = "a", j: tuple[float, ...] = (0.5, 1.0)) -> UnitRecord:
    nothing = (None,) * len(j)
    scores = ObjectScores(
        3, 0, len(j), tuple(range(1, len(j) + 1)), j, j, j, nothing, nothing, j, j, (True,) * len(j),
        (RoundScores(1, None, 0.75, 0.75, None),), {1: "abc"},
    )  # fmt: skip
    return UnitRecord(
        UnitKey("s", movie, "mask", "tracking"), len(j) + 1, 1.5, "ff", (scores,), CellScores(0.5, None, 1)
    )


def test_what_was_written_is_read_again(tmp_path):
    path = tmp_path / "new" / "results.jsonl"
    file = RecordFile(path, SETTINGS)
    file.add(record("a"))
    file.add(record("b", (0.25,)))
    again = RecordFile(path, SETTINGS)
    assert again.done == {r.key: r for r in (record("a"), record("b", (0.25,)))}


def test_a_line_torn_by_a_kill_is_done_again_and_the_others_are_kept(tmp_path):
    path = tmp_path / "results.jsonl"
    file = RecordFile(path, SETTINGS)
    file.add(record("a"))
    file.add(record("b"))
    path.write_text(path.read_text()[:-30])
    again = RecordFile(path, SETTINGS)
    assert [key.movie for key in again.done] == ["a"]
    again.add(record("b"))
    assert [key.movie for key in RecordFile(path, SETTINGS).done] == ["a", "b"]


def test_an_empty_file_is_begun_anew(tmp_path):
    path = tmp_path / "results.jsonl"
    path.touch()
    RecordFile(path, SETTINGS).add(record())
    assert len(RecordFile(path, SETTINGS).done) == 1


def test_results_of_other_settings_are_never_mixed(tmp_path):
    path = tmp_path / "results.jsonl"
    RecordFile(path, SETTINGS)
    with pytest.raises(EvaluationError, match=r"other settings \(frames: None there, 8 now\)"):
        RecordFile(path, SETTINGS | {"frames": 8})


@pytest.mark.parametrize("text", ["hello\n", '{"rows": 1}\n', "[]\n", '{"settings": 3'])
def test_a_file_of_something_else_is_left_alone(tmp_path, text):
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(EvaluationError, match="settings"):
        RecordFile(path, SETTINGS)
    assert path.read_text() == text


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    RecordFile(path, SETTINGS)
    path.write_text(path.read_text() + '{"key": 1}\n')
    with pytest.raises(EvaluationError, match="line 2"):
        RecordFile(path, SETTINGS)
