"""The streaming predictor: a loaded network on a device, from which sessions are started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from src_model.errors import AnnotationFileError, PromptError
from src_model.frames import FrameSource, LiveSource, Normalization, open_movie
from src_model.nn.compute import keep_freed_memory
from src_model.tracking.feature_store import DEFAULT_STORE_BYTES
from src_model.tracking.frame_features import DEFAULT_CACHE_BYTES, FeatureOptions
from src_model.tracking.network_steps import CheckpointIdentity, NetworkSteps
from src_model.tracking.precision import choose_precision
from src_model.tracking.session import Session
from src_model.tracking.settings import PRESETS, PresetName, TrackingSettings
from src_model.tracking.threads import use_threads
from src_model.tracking.windows.rules import LEAST_PIXELS
from src_model.weights import MaskThresholds, architecture_thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.frames import Channel, MovieLike, Plane
    from src_model.nn import Sam2Network
    from src_model.tracking.precision import PrecisionChoice
    from src_model.tracking.windows.rules import WindowChoice

_SMALLEST_SIZE, _LARGEST_SIZE = 64, 4096
_LIVE_FRAMES = 64
"""Frames of a live stream that stay readable, for prompts and corrections; memory is bounded by them."""


class StreamingPredictor:
    """A network on a device; holds no movie.

    Parameters
    ----------
    network
        The network, in evaluation mode.
    device
        Where to run; the network is moved there.
    settings
        Where sam2v differs from the reference predictor.
    image_size
        Side of the network input in pixels; the size the weights were trained at if left out.
    name, sha256
        What the checkpoint is called and its hash, for saved sessions.
    mask_thresholds
        What automatic masks must reach; what suits the network's architecture if left out.
    """

    def __init__(
        self,
        network: Sam2Network,
        *,
        device: torch.device | str = "cpu",
        settings: TrackingSettings | None = None,
        image_size: int | None = None,
        name: str = "unnamed",
        sha256: str = "",
        mask_thresholds: MaskThresholds | None = None,
    ) -> None:
        size = _checked_size(image_size or network.config.image_size, network.config.trunk.size_multiple)
        target = torch.device(device)
        checkpoint = CheckpointIdentity(name, sha256)
        chosen = _checked_window(settings or PRESETS["default"])
        self.steps = NetworkSteps(network.to(target).eval(), chosen, target, size, checkpoint)
        self.mask_thresholds = mask_thresholds or architecture_thresholds(network.config.name)

    @classmethod
    def load(
        cls,
        name_or_path: str | Path = "default",
        *,
        device: str = "auto",
        preset: PresetName = "default",
        image_size: int | None = None,
        precision: PrecisionChoice = "exact",
        threads: int | None = None,
    ) -> StreamingPredictor:
        """Load a checkpoint by name, downloading it on first use, or from a file.

        Parameters
        ----------
        name_or_path
            A name of ``sam2v models``, or a ``.pt`` or ``.safetensors`` file, whose architecture is recognised.
        device
            ``"auto"`` (CUDA, then Apple's MPS, then the CPU) or what torch calls a device.
        preset
            ``"default"``, or ``"official"`` to behave as the reference predictor does.
        image_size
            Side of the network input in pixels. Larger sees smaller objects and takes longer.
        precision
            ``"exact"``: float32. ``"fast"``: image encoder and memory in 16 bits where the device computes them fast;
            masks differ in single pixels of their edge. ``"auto"``: fast where the device has bfloat16, exact
            elsewhere and in the preset ``"official"``.
        threads
            CPU threads of this process, at most the cores it may use; left out, as torch chooses within that.

        Raises
        ------
        CheckpointError
            If the name is unknown, or the file is missing, damaged or foreign.
        PromptError
            If the preset, the device, the precision or the image size cannot be used.
        """
        from src_model.weights import load_network

        if preset not in PRESETS:
            raise PromptError(f"preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}")
        target = choose_device(device)
        # The reference computes in float32 on CPU; so does its preset unless told otherwise.
        wanted = "exact" if preset == "official" and precision == "auto" else precision
        settings = replace(PRESETS[preset], precision=choose_precision(wanted, target))
        use_threads(threads)
        if target.type == "cpu":
            keep_freed_memory()
        loaded = load_network(name_or_path, device=target)
        return cls(
            loaded.network,
            device=target,
            settings=settings,
            image_size=image_size,
            name=loaded.name,
            sha256=loaded.sha256,
            mask_thresholds=loaded.mask_thresholds,
        )

    @property
    def name(self) -> str:
        """What the checkpoint is called."""
        return self.steps.checkpoint.name

    @property
    def sha256(self) -> str:
        """Digest of the checkpoint file; empty if the weights came from no file."""
        return self.steps.checkpoint.sha256

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.steps.device

    @property
    def image_size(self) -> int:
        """Side of the network input in pixels."""
        return self.steps.image_size

    def with_settings(self, settings: TrackingSettings, image_size: int | None = None) -> StreamingPredictor:
        """Return a predictor with other settings and input size that shares this one's network.

        Raises
        ------
        PromptError
            If the image size cannot be used.
        """
        return StreamingPredictor(
            self.steps.network,
            device=self.device,
            settings=settings,
            image_size=image_size or self.image_size,
            name=self.name,
            sha256=self.sha256,
            mask_thresholds=self.mask_thresholds,
        )

    def start(
        self,
        movie: MovieLike | None = None,
        *,
        normalization: Normalization | None = None,
        axes: str | None = None,
        channel: Channel = None,
        plane: Plane = None,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        cache_dir: str | Path | None = None,
        cache_dir_bytes: int = DEFAULT_STORE_BYTES,
        read_ahead: bool | None = None,
        window: WindowChoice | None = None,
        document: str | Path | None = None,
    ) -> Session:
        """Start tracking in a movie, or in a live stream if none is given.

        Parameters
        ----------
        movie
            ``(T, Y, X[, C])`` array-like, a path, or a :class:`~src_model.frames.FrameSource`.
        normalization
            How pixel values become 0..1; decided from the movie if left out.
        axes, channel, plane
            As in :func:`~src_model.frames.open_movie`.
        cache_bytes
            Memory for image features that are kept for corrections and later passes.
        cache_dir
            A folder in which image features are kept for later sessions too, whatever their movie and model. A live
            stream keeps none.
        cache_dir_bytes
            Size of that folder at most; what was not used longest is deleted first.
        read_ahead
            Read and prepare the frames to come in a background thread while objects are tracked. Left out: for movies
            that may be read from several threads, as all those given as a path or an array.
        window
            ``"auto"``: objects that are small on the network's grid are tracked in windows that follow them. ``"off"``:
            every object is tracked on the whole frame. A number: every object has a window of so many pixels. The
            choice of the predictor's settings if left out.
        document
            The ``.sam2v`` file of the session. A live stream hands masks to it that are older than some hundred frames;
            without one they are dropped. It is written by ``session.save()``; until then the work lies where napari
            offers to restore it.

        Returns
        -------
        Session

        Raises
        ------
        MovieError
            If the movie cannot be opened.
        PromptError
            If there can be no such windows.
        FeatureStoreError
            If image features cannot be kept in that folder.
        AnnotationFileError
            If ``document`` does not end in ``.sam2v``.
        """
        steps = self.steps
        if window is not None:
            steps = self.with_settings(replace(steps.settings, window=window)).steps
        source: FrameSource = (
            LiveSource(keep=_LIVE_FRAMES)
            if movie is None
            else open_movie(movie, axes=axes, channel=channel, plane=plane)
        )
        options = FeatureOptions(cache_bytes, _folder(cache_dir), cache_dir_bytes, read_ahead)
        return Session(steps, source, normalization, options, target=_document_path(document))

    def resume(
        self,
        path: str | Path,
        movie: MovieLike,
        *,
        allow_other_model: bool = False,
        cache_dir: str | Path | None = None,
    ) -> Session:
        """Go on with a document: objects, prompts, masks and locks are as they were saved.

        Parameters and errors are those of :func:`~src_model.tracking.session_document.resume_session`, and
        ``cache_dir`` as in :meth:`start`.
        """
        from src_model.tracking.session_document import resume_session

        options = FeatureOptions(cache_dir=_folder(cache_dir))
        return resume_session(self, path, movie, allow_other_model=allow_other_model, options=options)

    def replay(
        self,
        path: str | Path,
        movie: MovieLike,
        *,
        allow_other_model: bool = False,
        cache_dir: str | Path | None = None,
    ) -> Session:
        """Track again what a document holds, from its prompts alone, for instance with another model.

        Parameters and errors are those of :func:`~src_model.tracking.session_document.replay_session`, and
        ``cache_dir`` as in :meth:`start`.
        """
        from src_model.tracking.session_document import replay_session

        options = FeatureOptions(cache_dir=_folder(cache_dir))
        return replay_session(self, path, movie, allow_other_model=allow_other_model, options=options)


def _document_path(path: str | Path | None) -> Path | None:
    if path is None:
        return None
    if Path(path).suffix != ".sam2v":
        raise AnnotationFileError(f"a document is a .sam2v file, not '{Path(path).name}'")
    return Path(path).expanduser()


def _folder(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path).expanduser()


def choose_device(name: str) -> torch.device:
    """Turn a device name into a device; ``"auto"`` takes the fastest present.

    Raises
    ------
    PromptError
        If there is no such device.
    """
    present: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, available in present.items() if available()))
    kind = name.split(":")[0]
    if kind not in present or not present[kind]():
        usable = ", ".join(other for other, available in present.items() if available())
        raise PromptError(f"device {name!r} is not available here; use auto or one of {usable}")
    return torch.device(name)


def _checked_size(size: int, multiple: int) -> int:
    if size % multiple or not _SMALLEST_SIZE <= size <= _LARGEST_SIZE:
        raise PromptError(
            f"image size {size} cannot be used; choose a multiple of {multiple} in {_SMALLEST_SIZE}..{_LARGEST_SIZE}"
        )
    return size


def _checked_window(settings: TrackingSettings) -> TrackingSettings:
    choice = settings.window
    is_number = isinstance(choice, int) and not isinstance(choice, bool) and choice >= LEAST_PIXELS
    if choice not in ("auto", "off") and not is_number:
        raise PromptError(
            f"window {choice!r} cannot be used; choose auto, off or a number of pixels from {LEAST_PIXELS}"
        )
    if settings.preset == "official" and choice != "off":
        raise PromptError(
            "the preset 'official' tracks whole frames, as the reference does; leave window='off', or take the preset "
            "'default'"
        )
    for size in settings.window_sizes:
        _checked_size(size, 16)
    return settings
