"""Data can be told apart by a digest."""

from __future__ import annotations

from src_model.training.provenance import fingerprint


def test_a_fingerprint_follows_links_to_folders(tmp_path):
    (tmp_path / "far" / "clips").mkdir(parents=True)
    (tmp_path / "far" / "clips" / "a.png").write_bytes(b"a")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "far")
    assert fingerprint(tmp_path / "data").files == 1


def test_a_fingerprint_tells_data_apart(tmp_path):
    data = tmp_path / "data"
    (data / "a").mkdir(parents=True)
    (data / "a" / "1.png").write_bytes(b"one")
    first = fingerprint(data)
    assert (first.name, first.files, first.size, first.complete) == ("data", 1, 3, True)
    (data / ".hidden").write_bytes(b"not counted")
    assert fingerprint(data) == first
    (data / "a" / "1.png").write_bytes(b"two")
    assert fingerprint(data).sha256 != first.sha256
    assert not fingerprint(data, most_bytes=1).complete
