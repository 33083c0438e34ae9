from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari_sam2v import preferences
from napari_sam2v.actions import ACTIONS
from napari_sam2v.preferences import Preferences, load_preferences, remember, save_preferences

TITLES = {"inference": "Model", "work": "Working", "shortcuts": "Shortcuts"}
MINE = Preferences(model="small", device="cpu", contrast="limits", follow=False, keys={"undo": "Control-U"})


def manifest_configurations():
    """What has to stand in the manifest under ``configurations``."""
    sections = {key: {"title": title, "properties": {}} for key, title in TITLES.items()}
    for name, entry in Preferences.model_json_schema()["properties"].items():
        if name != "keys":
            sections[entry.pop("section")]["properties"][name] = entry
    for action in ACTIONS:
        entry = {"type": "string", "title": action.title, "description": "A key such as G or Control-Shift-G."}
        sections["shortcuts"]["properties"][action.id] = {**entry, "default": action.key}
    return sections


@pytest.fixture
def file(monkeypatch, tmp_path):
    """A napari without a page for plugins."""
    path = tmp_path / "sub" / "preferences.json"
    monkeypatch.setattr(preferences, "_napari_settings", lambda: None)
    monkeypatch.setattr(preferences, "preferences_path", lambda: path)
    return path


@pytest.fixture
def page(monkeypatch):
    """What napari makes of the manifest's configurations."""
    sections = {
        name: SimpleNamespace(**{key: entry["default"] for key, entry in section["properties"].items()})
        for name, section in manifest_configurations().items()
    }
    settings = SimpleNamespace(**sections)
    monkeypatch.setattr(preferences, "_napari_settings", lambda: settings)
    return settings


def test_without_a_file_everything_has_its_default(file):
    assert load_preferences() == Preferences()


def test_preferences_come_back_from_the_file(file):
    save_preferences(MINE)
    assert load_preferences() == MINE
    assert [path.name for path in file.parent.iterdir()] == ["preferences.json"]


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"device": "abacus", "follow": 1, "keys": {"fly": "F9", "undo": 3}}']
)
def test_a_file_that_a_person_broke_does_no_harm(file, text):
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    assert load_preferences() == Preferences()


def test_preferences_come_back_from_naparis_page(page):
    assert load_preferences() == Preferences()
    save_preferences(MINE)
    assert page.inference.device == "cpu"
    assert page.shortcuts.undo == "Control-U"
    assert load_preferences() == MINE


def test_napari_accepts_the_configurations_for_a_manifest():
    contributions = pytest.importorskip("npe2.manifest.contributions", reason="npe2 is not installed")
    if not hasattr(contributions, "ConfigurationContribution"):
        pytest.skip("this npe2 knows no configurations")
    for section in manifest_configurations().values():
        contributions.ConfigurationContribution(**section)


def test_every_preference_and_every_action_has_its_entry():
    sections = manifest_configurations()
    named = {key for name, section in sections.items() if name != "shortcuts" for key in section["properties"]}
    assert named == set(Preferences.model_fields) - {"keys"}
    assert set(sections["shortcuts"]["properties"]) == {action.id for action in ACTIONS}


def test_the_manifest_has_these_configurations():
    npe2 = pytest.importorskip("npe2", reason="npe2 is not installed")
    manifest = npe2.PluginManifest.from_distribution("napari-sam2v")
    found = getattr(manifest.contributions, "configurations", None)
    if not found:
        pytest.skip("the manifest has no configurations")
    for name, section in manifest_configurations().items():
        assert found[name].title == section["title"]
        assert set(found[name].properties) == set(section["properties"])
        for key, entry in section["properties"].items():
            there = found[name].properties[key]
            assert (there.default, there.title, there.description) == (
                entry["default"],
                entry["title"],
                entry["description"],
            )
            assert (there.enum or []) == entry.get("enum", [])


def test_choices_made_in_the_panel_are_remembered_and_others_stay(file):
    save_preferences(MINE)
    remember(track_objects="all", follow=True)
    found = load_preferences()
    assert (found.track_objects, found.follow, found.device, found.keys) == ("all", True, "cpu", MINE.keys)


def test_a_choice_that_cannot_be_written_down_is_no_error(file, monkeypatch, caplog):
    def refuse(_preferences):
        raise OSError("disk full")

    monkeypatch.setattr(preferences, "save_preferences", refuse)
    remember(track_objects="all")
    assert "disk full" in caplog.text
