from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import huggingface_hub
import pytest

from src_model.errors import CheckpointError
from src_model.weights import download, get_checkpoint, list_checkpoints, models_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import FakeHub

    from src_model.weights import CheckpointInfo, CheckpointStatus

    Register = Callable[..., CheckpointInfo]

CONTENT = b"pretend weights"


def place(folder: Path, info: CheckpointInfo, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / info.filename
    path.write_bytes(content)
    return path


def status_of(name: str) -> CheckpointStatus:
    return next(status for status in list_checkpoints() if status.info.name == name)


class TestFindingOnDisk:
    def test_a_file_in_the_user_folder_is_used_without_asking_the_hub(self, hub: FakeHub, register: Register):
        path = place(models_folder(), register("toy", CONTENT))
        assert get_checkpoint("toy") == path
        assert hub.calls == []

    def test_the_environment_variable_names_another_folder(
        self, hub: FakeHub, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        info = register("toy", CONTENT)
        place(models_folder(), info)
        monkeypatch.setenv("SAM2V_MODELS", str(tmp_path / "lab"))
        assert models_folder() == tmp_path / "lab"
        path = place(tmp_path / "lab", info)
        assert get_checkpoint("toy") == path

    def test_the_user_folder_still_counts_beside_the_variable(
        self, hub: FakeHub, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        path = place(models_folder(), register("toy", CONTENT))
        monkeypatch.setenv("SAM2V_MODELS", str(tmp_path / "there is no such folder"))
        assert get_checkpoint("toy") == path

    def test_a_file_in_the_cache_of_the_hub_is_used_offline(self, hub: FakeHub, register: Register):
        info = register("toy", CONTENT)
        repository = hub.cache / "models--somebody--toy"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("0" * 40)
        path = place(repository / "snapshots" / ("0" * 40), info)
        assert get_checkpoint("toy", offline=True) == path
        assert hub.calls == []

    def test_an_interrupted_copy_is_refused_with_both_sizes(self, hub: FakeHub, register: Register):
        path = place(models_folder(), register("toy", CONTENT), CONTENT[:-3])
        with pytest.raises(CheckpointError, match="it has 12 bytes instead of 15") as caught:
            get_checkpoint("toy")
        assert str(path) in str(caught.value)

    def test_another_file_of_the_same_name_and_size_is_refused_by_its_hash(self, hub: FakeHub, register: Register):
        place(models_folder(), register("toy", CONTENT), CONTENT[::-1])
        with pytest.raises(CheckpointError, match=r"SHA-256 is .* give its path instead of the name"):
            get_checkpoint("toy")

    def test_a_bundled_file_that_is_missing_asks_for_a_new_installation(
        self, hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(download, "DATA_FOLDER", tmp_path)
        with pytest.raises(CheckpointError, match=r"'default' is missing from this installation.*Install"):
            get_checkpoint("default")
        assert hub.calls == []


class TestDownloading:
    def test_a_missing_checkpoint_is_fetched_from_its_repository(self, hub: FakeHub, register: Register):
        info = register("toy", CONTENT)
        hub.content = CONTENT
        path = get_checkpoint("toy")
        assert path == hub.cache / info.filename
        assert path.read_bytes() == CONTENT
        assert hub.calls == [info.url]
        assert hub.options == {"tqdm_class": None, "xet": True}

    def test_a_wrong_file_from_the_network_is_refused_and_deleted(self, hub: FakeHub, register: Register):
        register("toy", CONTENT)
        hub.content = b"<html>captive portal</html>"
        with pytest.raises(CheckpointError, match=r"27 bytes instead of 15.* deleted.* by hand"):
            get_checkpoint("toy")
        assert list(hub.cache.iterdir()) == []

    def test_a_function_is_told_the_bytes_that_arrived(self, hub: FakeHub, register: Register):
        register("toy", CONTENT)
        hub.content = CONTENT
        told = []
        get_checkpoint("toy", progress=lambda done, size: told.append((done, size)))
        bar_class = hub.options["tqdm_class"]
        # As the hub does it: one bar for what arrives, one for what is written, a second attempt after a failure.
        with bar_class(total=15, initial=0, desc="arriving") as arriving, bar_class(total=15) as writing:
            arriving.update(10)
            writing.update(5)
            writing.update(10)
        with bar_class(total=15, initial=5) as resumed:
            resumed.update(5)
        assert told == [(10, 15), (10, 15), (15, 15), (15, 15)]

    def test_a_function_may_cancel_so_nothing_arrives_in_threads_of_others(self, hub: FakeHub, register: Register):
        register("toy", CONTENT)
        hub.content = CONTENT
        get_checkpoint("toy", progress=lambda *_: None)
        assert not hub.options["xet"]
        assert not huggingface_hub.constants.HF_HUB_DISABLE_XET

    def test_no_bar_is_shown_where_none_is_wanted(
        self, hub: FakeHub, register: Register, capsys: pytest.CaptureFixture[str]
    ):
        register("toy", CONTENT)
        hub.content = CONTENT
        get_checkpoint("toy", progress=False)
        with hub.options["tqdm_class"](total=15) as bar:
            bar.update(15)
        assert capsys.readouterr().err == ""

    def test_a_hub_without_custom_bars_downloads_too(
        self, hub: FakeHub, register: Register, monkeypatch: pytest.MonkeyPatch
    ):
        register("toy", CONTENT)
        hub.content = CONTENT
        fetch = hub.hf_hub_download
        monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda repo, filename: fetch(repo, filename))
        assert get_checkpoint("toy", progress=lambda *_: None).read_bytes() == CONTENT

    def test_cancelling_with_the_keyboard_is_not_disguised(self, hub: FakeHub, register: Register):
        register("toy", CONTENT)
        hub.error = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            get_checkpoint("toy", progress=False)


class TestWithoutANetwork:
    def assert_tells_how_to_get_it_by_hand(self, message: str, info: CheckpointInfo) -> None:
        assert str(info.url) in message
        assert f"as {info.filename} into {models_folder()}" in message
        assert "SAM2V_MODELS" in message
        assert "'default' needs no download" in message

    def test_the_message_says_what_to_get_by_hand_and_where_to_put_it(self, hub: FakeHub, register: Register):
        info = register("toy", CONTENT)
        hub.error = ConnectionError("name resolution failed")
        with pytest.raises(CheckpointError, match="ConnectionError: name resolution failed") as caught:
            get_checkpoint("toy")
        self.assert_tells_how_to_get_it_by_hand(str(caught.value), info)

    def test_the_innermost_reason_is_named(self, hub: FakeHub, register: Register):
        register("toy", CONTENT)
        hub.error = huggingface_hub.errors.LocalEntryNotFoundError("Check your connection.\nAnd more advice.")
        hub.error.__cause__ = TimeoutError()
        with pytest.raises(CheckpointError, match=r"as expected \(TimeoutError\)"):
            get_checkpoint("toy")

    def test_following_the_advice_works(self, hub: FakeHub, register: Register):
        info = register("toy", CONTENT)
        hub.error = ConnectionError("no network")
        with pytest.raises(CheckpointError):
            get_checkpoint("toy")
        place(models_folder(), info)
        assert get_checkpoint("toy").read_bytes() == CONTENT

    def test_offline_mode_never_asks_the_hub(self, hub: FakeHub, register: Register, monkeypatch: pytest.MonkeyPatch):
        info = register("toy", CONTENT)
        with pytest.raises(CheckpointError, match="offline mode") as asked:
            get_checkpoint("toy", offline=True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        for offline in (None, False):
            with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE"):
                get_checkpoint("toy", offline=offline)
        self.assert_tells_how_to_get_it_by_hand(str(asked.value), info)
        assert hub.calls == []

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
    def test_a_full_or_forbidden_disk_is_not_blamed_on_the_network(self, hub: FakeHub, register: Register, number: int):
        register("toy", CONTENT)
        hub.error = OSError(number, os.strerror(number))
        with pytest.raises(CheckpointError, match=f"cannot be written to .{os.strerror(number)}") as caught:
            get_checkpoint("toy")
        assert f"{hub.cache} cannot be" in str(caught.value)
        assert "did not answer" not in str(caught.value)


class TestListing:
    def test_on_a_fresh_machine_nothing_official_is_on_disk(self, hub: FakeHub):
        assert [status.info.name for status in list_checkpoints()][:2] == ["default", "sam2.1-tiny"]
        assert not any(status.ready for status in list_checkpoints() if not status.info.bundled)
        assert hub.calls == []

    def test_a_complete_file_is_ready_and_listed_with_its_path(self, hub: FakeHub, register: Register):
        path = place(models_folder(), register("toy", CONTENT))
        status = status_of("toy")
        assert status.ready
        assert status.path == path
        assert status.size == len(CONTENT)

    def test_an_incomplete_file_is_listed_with_its_problem(self, hub: FakeHub, register: Register):
        place(models_folder(), register("toy", CONTENT), b"")
        status = status_of("toy")
        assert not status.ready
        assert status.problem == "it has 0 bytes instead of 15"

    def test_a_bundled_file_of_another_size_is_not_ready(
        self, hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(download, "DATA_FOLDER", tmp_path)
        assert not status_of("default").ready
        (tmp_path / "default.safetensors").write_bytes(bytes(7))
        assert "it has 7 bytes instead of" in str(status_of("default").problem)
        assert not status_of("default").ready
