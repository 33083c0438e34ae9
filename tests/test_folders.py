from __future__ import annotations

from src_model.folders import cache_folder


def test_caches_lie_in_the_users_folder_for_them_or_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("SAM2V_CACHE", str(tmp_path))
    assert cache_folder("features") == tmp_path / "features"
    monkeypatch.delenv("SAM2V_CACHE")
    assert cache_folder("features").parent.name == "sam2v"
