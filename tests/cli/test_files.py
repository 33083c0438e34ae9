"""Whether there is a place to write to."""

from __future__ import annotations

import os
import re

import pytest
import typer

from src_model.cli.files import check_writable
from src_model.formats.marks import is_our_tiff
from src_model.formats.ome_zarr import is_ours


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(typer.BadParameter, match=re.escape(str(tmp_path / "missing"))):
        check_writable(tmp_path / "missing" / "a.tif", "--out", is_our_tiff)


def test_a_folder_of_the_user_is_never_replaced(tmp_path):
    (tmp_path / "images.zarr").mkdir()
    (tmp_path / "images.zarr" / "photo.png").write_text("")
    with pytest.raises(typer.BadParameter, match="remove the folder yourself"):
        check_writable(tmp_path / "images.zarr", "--out", is_ours, folder=True, force=True)


def test_a_file_of_the_user_is_replaced_by_force_alone(tmp_path):
    (tmp_path / "a.tif").write_text("mine")
    with pytest.raises(typer.BadParameter, match=r"choose another name, or replace it with --force$"):
        check_writable(tmp_path / "a.tif", "--out", is_our_tiff)
    check_writable(tmp_path / "a.tif", "--out", is_our_tiff, force=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is writable for root")
def test_a_read_only_folder_is_found_out_beforehand(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(typer.BadParameter, match="may not write"):
            check_writable(tmp_path / "a.tif", "--out", is_our_tiff)
    finally:
        tmp_path.chmod(0o700)
