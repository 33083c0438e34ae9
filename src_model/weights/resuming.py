"""A download from huggingface.co that is taken up where it broke, also by another process."""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
from typing import TYPE_CHECKING, Any

import huggingface_hub
from huggingface_hub import file_download

from src_model.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.weights.registry import CheckpointInfo

_RANGE_NOT_SATISFIABLE = 416

# Type checkers hold its names for private: the package imports them without exporting them by __all__.
_hub_utils: Any = huggingface_hub.utils

_log = logging.getLogger(__name__)


def can_resume() -> bool:
    """Tell whether the installed huggingface_hub can continue a file and lock it meanwhile.

    Returns
    -------
    bool
        False if a version no longer, or not yet, has what is used here.
    """
    needed = {"resume_size", "headers", "expected_size", "displayed_filename"}
    return hasattr(_hub_utils, "WeakFileLock") and needed <= _options_of_http_get()


def download_resumably(info: CheckpointInfo, folder: Path, bar: type | None = None) -> Path:
    """Download a checkpoint, continuing what an earlier attempt has left.

    What has arrived is kept as ``<filename>.part`` in the folder and gets its final name once its size and SHA-256
    are right. Processes that want the same file wait for each other.

    Parameters
    ----------
    info : CheckpointInfo
        A checkpoint with a repository.
    folder : Path
        Where to put the file; made if need be.
    bar : type, optional
        Progress bar class to use instead of that of huggingface_hub, where its version allows that.

    Returns
    -------
    Path
        The complete file.

    Raises
    ------
    CheckpointError
        What was sent is not the checkpoint; it has been deleted. The message is a clause, to be put into a sentence.
    OSError
        The folder cannot be written to.
    Exception
        Whatever the HTTP library behind huggingface_hub raises when a connection fails; what has arrived is kept.
    """
    target = folder / info.filename
    part = folder / f"{info.filename}.part"
    folder.mkdir(parents=True, exist_ok=True)
    with _hub_utils.WeakFileLock(folder / f"{info.filename}.lock"):
        if target.is_file():  # while this process waited, another one got it
            return target
        continued = _can_be_continued(part, info)
        if not continued:
            part.unlink(missing_ok=True)
        fault = _fetch(info, part, bar)
        if fault is not None and continued:
            _log.warning("%s was not a beginning of %s (%s); downloading it again", part, info.source, fault)
            fault = _fetch(info, part, bar)
        if fault is not None:
            raise CheckpointError(f"what huggingface.co sent is not it ({fault}) and has been deleted")
        os.replace(part, target)
    return target


def _options_of_http_get() -> set[str]:
    http_get = getattr(file_download, "http_get", None)
    return set() if http_get is None else set(inspect.signature(http_get).parameters)


def _can_be_continued(part: Path, info: CheckpointInfo) -> bool:
    # Without both, nobody would notice that the two halves come from different versions of the file.
    if info.size is None or info.sha256 is None or not part.is_file():
        return False
    return 0 < part.stat().st_size <= info.size


def _fetch(info: CheckpointInfo, part: Path, bar: type | None) -> str | None:
    """Download what is missing of a part; if the whole is not the checkpoint, delete it and say why."""
    fault = None
    try:
        with part.open("ab") as file:
            # The last process may have ended just before the file got its name.
            if info.size is None or file.tell() != info.size:
                _request(info, file, bar)
    except Exception as error:
        fault = _fault_behind(error, part, info)
        if fault is None:
            raise
    fault = fault or _fault_of(part, info)
    if fault is not None:
        part.unlink()
    return fault


def _request(info: CheckpointInfo, file: Any, bar: type | None) -> None:
    url = huggingface_hub.hf_hub_url(str(info.repo), info.filename)
    # Fails at once where there is no network; `http_get` would wait for one to come back.
    if huggingface_hub.get_hf_file_metadata(url).etag is None:
        raise CheckpointError("something else answered for huggingface.co, such as the login page of a network")
    # Offsets into a compressed answer would not be offsets into the file.
    headers = _hub_utils.build_hf_headers() | {"Accept-Encoding": "identity"}
    options: dict[str, Any] = {}
    if bar is not None and "tqdm_class" in _options_of_http_get():
        options["tqdm_class"] = bar
    file_download.http_get(
        url,
        file,
        resume_size=file.tell(),
        headers=headers,
        expected_size=info.size,
        displayed_filename=info.filename,
        **options,
    )


def _fault_behind(error: Exception, part: Path, info: CheckpointInfo) -> str | None:
    """Say what is wrong with a part if that made a request fail; None if it may be continued later."""
    size = part.stat().st_size if part.is_file() else 0
    if info.size is not None and size > info.size:
        return f"{size:,} bytes instead of {info.size:,}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"nothing follows its first {size:,} bytes" if status == _RANGE_NOT_SATISFIABLE else None


def _fault_of(part: Path, info: CheckpointInfo) -> str | None:
    size = part.stat().st_size
    if info.size is not None and size != info.size:
        return f"{size:,} bytes instead of {info.size:,}"
    # Not `file_sha256`, which takes a file rewritten within one tick of a coarse clock for the same.
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return None if info.sha256 in (None, digest) else f"its SHA-256 is {digest} instead of {info.sha256}"
