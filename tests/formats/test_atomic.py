"""Files and folders that appear when they are complete."""

from __future__ import annotations

import pytest

from src_model.formats.atomic import complete_file


def test_a_file_appears_at_the_end(tmp_path):
    target = tmp_path / "a.txt"
    with complete_file(target) as part:
        part.write_text("new")
        assert not target.exists()
        assert part.parent == tmp_path
    assert target.read_text() == "new"


def test_after_an_error_the_old_file_is_still_there_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def interrupted():
        with complete_file(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    target = tmp_path / "a.zarr"
    (target / "deep").mkdir(parents=True)
    with complete_file(target) as part:
        part.mkdir()
        (part / "new").write_text("")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]
