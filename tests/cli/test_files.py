"""Files that appear when they are complete."""

from __future__ import annotations

import os
import re

import pytest
import typer

from src_model.cli.files import check_writable, complete_file


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


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(typer.BadParameter, match=re.escape(str(tmp_path / "missing"))):
        check_writable(tmp_path / "missing" / "a.tif", "--out")


def test_a_folder_of_the_user_is_never_replaced(tmp_path):
    (tmp_path / "images.zarr").mkdir()
    (tmp_path / "images.zarr" / "photo.png").write_text("")
    with pytest.raises(typer.BadParameter, match="no zarr store"):
        check_writable(tmp_path / "images.zarr", "--out")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is writable for root")
def test_a_read_only_folder_is_found_out_beforehand(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(typer.BadParameter, match="may not write"):
            check_writable(tmp_path / "a.tif", "--out")
    finally:
        tmp_path.chmod(0o700)
