"""Files and folders that appear when they are complete."""

from __future__ import annotations

import os

import pytest

from src_model.files import replacing


def test_a_file_appears_at_the_end(tmp_path):
    target = tmp_path / "a.txt"
    with replacing(target) as part:
        part.write_text("new")
        assert not target.exists()
        assert part.parent == tmp_path
    assert target.read_text() == "new"


def test_after_an_error_the_old_file_is_still_there_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def interrupted():
        with replacing(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    target = tmp_path / "a.zarr"
    (target / "deep").mkdir(parents=True)
    with replacing(target) as part:
        part.mkdir()
        (part / "new").write_text("")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_older_folder_is_still_there_if_its_place_cannot_be_taken(tmp_path, monkeypatch, error):
    target = tmp_path / "a.zarr"
    target.mkdir()
    (target / "old").write_text("")
    replace, left = os.replace, [1]

    def interrupted(old, new):
        if new == target and left and left.pop():
            raise error
        replace(old, new)

    def written():
        with replacing(target) as part:
            part.mkdir()
            monkeypatch.setattr(os, "replace", interrupted)

    with pytest.raises(error):
        written()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "b.txt").write_text("old")
    try:
        (tmp_path / "a.txt").symlink_to("b.txt")
    except OSError:
        pytest.skip("links cannot be made here")
    with replacing(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert (tmp_path / "b.txt").read_text() == "new"
    assert (tmp_path / "a.txt").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no permissions of this kind")
def test_a_file_keeps_the_permissions_of_the_one_it_replaces(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o640)
    with replacing(target) as part:
        part.write_text("new")
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("durable", [True, False])
def test_only_what_cannot_be_computed_again_waits_for_the_disk(tmp_path, monkeypatch, durable):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with replacing(tmp_path / "a.txt", durable=durable) as part:
        part.write_text("new")
    assert bool(synced) == durable


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []
