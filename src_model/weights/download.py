"""From the name of a checkpoint to a file on this machine, downloaded where that is needed."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huggingface_hub
import platformdirs
from huggingface_hub.utils.tqdm import tqdm as hub_bar

from src_model.errors import CheckpointError
from src_model.weights.hashing import file_sha256
from src_model.weights.registry import DATA_FOLDER, CheckpointInfo, checkpoint_info, known_checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS_VARIABLE = "SAM2V_MODELS"
"""Environment variable that names a folder with checkpoints downloaded by hand."""

ProgressCallback = Callable[[int, int], None]
"""Called with the bytes that have arrived and the bytes of the whole file, from any thread."""

_CANNOT_STORE = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class CheckpointStatus:
    """A checkpoint and what this machine has of it.

    Attributes
    ----------
    info : CheckpointInfo
        What it is and where it comes from.
    path : Path or None
        Its file on disk; None if it would have to be downloaded.
    problem : str or None
        Why the file on disk cannot be used, such as a copy that was interrupted.
    """

    info: CheckpointInfo
    path: Path | None = None
    problem: str | None = None

    @property
    def ready(self) -> bool:
        """Whether loading it needs no network."""
        return self.path is not None and self.problem is None

    @property
    def size(self) -> int | None:
        """Bytes of the complete file; None if it is not known."""
        if self.info.size is None and self.path is not None:
            return self.path.stat().st_size
        return self.info.size


def models_folder() -> Path:
    """Folder to put hand-downloaded checkpoints into.

    Returns
    -------
    Path
        The folder named by the environment variable ``SAM2V_MODELS`` where that is set, else a folder of the user.
        It need not exist.
    """
    chosen = os.environ.get(MODELS_VARIABLE)
    return Path(chosen).expanduser() if chosen else _user_folder()


def list_checkpoints() -> tuple[CheckpointStatus, ...]:
    """Tell of every checkpoint with a name whether it is on disk.

    Only sizes are checked, so that the answer comes at once.

    Returns
    -------
    tuple of CheckpointStatus
        In the order of ``REGISTRY``, then the user's custom ones by name.
    """
    statuses = []
    for info in known_checkpoints().values():
        path = _find(info)
        statuses.append(CheckpointStatus(info, path, None if path is None else _size_problem(path, info)))
    return tuple(statuses)


def get_checkpoint(name: str, *, progress: bool | ProgressCallback = True, offline: bool | None = None) -> Path:
    """Find the file of a checkpoint, downloading it on first use.

    Looked for, in this order: in the package (``default``), in ``models_folder()``, in the folder of the user, in the
    cache of huggingface_hub, where downloads go to.

    Parameters
    ----------
    name : str
        One of the keys of ``REGISTRY``, or the name of a custom checkpoint.
    progress : bool or callable, default: True
        Whether a download shows a progress bar on the terminal; or a function to be called with the bytes that have
        arrived and the bytes of the whole file, perhaps from another thread.
    offline : bool, optional
        True to use only what is on disk. By default the environment variable ``HF_HUB_OFFLINE`` decides; it cannot
        be overruled by False.

    Returns
    -------
    Path
        The complete file, its size and SHA-256 checked where they are known.

    Raises
    ------
    CheckpointError
        The name is unknown, the file is damaged, or it is neither on disk nor could it be downloaded; the message
        then says which file to get by hand and where to put it.
    """
    info = checkpoint_info(name)
    path = _find(info)
    if path is None:
        if info.bundled:
            raise CheckpointError(
                f"The bundled checkpoint {name!r} is missing from this installation: there is no file {info.source}. "
                "Install the package again."
            )
        if info.custom:
            raise CheckpointError(f"The file of your checkpoint {name!r} is gone: there is no {info.source}.")
        if offline or huggingface_hub.constants.HF_HUB_OFFLINE:
            raise CheckpointError(_by_hand(info, "downloads are switched off (offline mode, HF_HUB_OFFLINE)"))
        return _download(info, progress)
    _verify(path, info)
    return path


def _user_folder() -> Path:
    return Path(platformdirs.user_data_dir("sam2v", appauthor=False)) / "models"


def _find(info: CheckpointInfo) -> Path | None:
    if info.folder is not None:
        folders = [info.folder]
    else:
        folders = [DATA_FOLDER] if info.bundled else [models_folder(), _user_folder()]
    for folder in folders:
        path = folder / info.filename
        if path.is_file():
            return path
    if info.repo is None:
        return None
    cached = huggingface_hub.try_to_load_from_cache(info.repo, info.filename)
    return Path(cached) if isinstance(cached, str) else None


def _download(info: CheckpointInfo, progress: bool | ProgressCallback) -> Path:
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    try:
        # Fails at once where there is no network; `hf_hub_download` tries again for half a minute.
        huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(str(info.repo), info.filename))
        with _without_xet() if callable(progress) else nullcontext():
            path = Path(huggingface_hub.hf_hub_download(str(info.repo), info.filename, **_bar_options(progress, info)))
    # What the HTTP libraries behind the hub raise differs between its versions and has no common base.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _CANNOT_STORE:
            reason = f"{cache} cannot be written to ({error.strerror})"
        else:
            reason = f"huggingface.co did not answer as expected ({_cause(error)})"
        raise CheckpointError(_by_hand(info, reason)) from error
    problem = _problem(path, info)
    if problem is not None:
        path.resolve().unlink()  # in the cache a file's name is a link to its content
        path.unlink(missing_ok=True)
        raise CheckpointError(_by_hand(info, f"what huggingface.co sent is not it ({problem}) and has been deleted"))
    return path


def _bar_options(progress: bool | ProgressCallback, info: CheckpointInfo) -> dict[str, Any]:
    """Options of `hf_hub_download` for its progress bar; before version 1 it takes none, and always shows it."""
    takes_bar = "tqdm_class" in inspect.signature(huggingface_hub.hf_hub_download).parameters
    if progress is True or not takes_bar:
        return {}
    return {"tqdm_class": _reporting_bar(progress or (lambda _done, _size: None), info.size or 0)}


@contextmanager
def _without_xet() -> Iterator[None]:
    """Download over HTTP alone: an error in the progress function, the way to cancel, does not stop Xet's threads."""
    constants: Any = huggingface_hub.constants
    before = getattr(constants, "HF_HUB_DISABLE_XET", False)
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before


def _reporting_bar(report: ProgressCallback, size: int) -> type:
    """Make a progress bar class that shows nothing and calls a function instead."""
    most = 0

    class ReportingBar(hub_bar):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = True
            super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
            self.arrived = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            # One download may move two bars (arriving, being written), and a retry starts one again.
            nonlocal most
            self.arrived += int(n or 0)
            most = max(most, self.arrived)
            report(min(most, size) if size else most, size or most)

    return ReportingBar


def _cause(error: BaseException) -> str:
    """Name the innermost reason of a failed download: the hub wraps it in general advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def _by_hand(info: CheckpointInfo, reason: str) -> str:
    size = "" if info.size is None else f" ({info.size / 1e6:.0f} MB)"
    return (
        f"The checkpoint {info.name!r}{size} is not on this machine, and {reason}. To get it by hand, download "
        f"{info.url} and put it as {info.filename} into {models_folder()} (the environment variable {MODELS_VARIABLE} "
        "can name another folder). The checkpoint 'default' needs no download."
    )


def _size_problem(path: Path, info: CheckpointInfo) -> str | None:
    size = path.stat().st_size
    if info.size is None or size == info.size:
        return None
    return f"it has {size:,} bytes instead of {info.size:,}"


def _problem(path: Path, info: CheckpointInfo) -> str | None:
    """Say why a file is not the complete checkpoint; None if it is."""
    problem = _size_problem(path, info)
    if problem is None and info.sha256 is not None and file_sha256(path) != info.sha256:
        problem = f"its SHA-256 is {file_sha256(path)} instead of {info.sha256}"
    return problem


def _verify(path: Path, info: CheckpointInfo) -> None:
    problem = _problem(path, info)
    if problem is not None:
        raise CheckpointError(
            f"{path} is not the complete file of the checkpoint {info.name!r}: {problem}. If it is damaged, delete it "
            "and try again; if it is a checkpoint of your own, give its path instead of the name."
        )
