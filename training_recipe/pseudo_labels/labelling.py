"""Videos in, pseudo-labels out: scenes are chosen, labelled one by one, and written as a DAVIS folder."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from src_model.frames import open_movie
from training_recipe.pseudo_labels.proposals import ProposalSettings, propose
from training_recipe.pseudo_labels.scenes import SceneFrames, choose_scenes, survey
from training_recipe.pseudo_labels.tracklets import TrackletSettings, flow_across, follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training_recipe.clips.clip import ByteArray
    from training_recipe.pseudo_labels.segmenter import Segmenter
    from training_recipe.pseudo_labels.tracklets import FollowedObject


_SHARED = 0.02
"""Share of the smaller of two objects that may be hidden by the other in one label image."""


@dataclass(frozen=True, slots=True)
class LabellingOptions:
    """How much is labelled and what is trusted; `longest` is the long side of what is written, in pixels."""

    scenes: int = 2
    frames: int = 10
    longest: int = 640
    proposals: ProposalSettings = field(default_factory=ProposalSettings)
    tracklets: TrackletSettings = field(default_factory=TrackletSettings)


def label_scene(
    segmenter: Segmenter, video: Path, scene: SceneFrames, out: Path, name: str, options: LabellingOptions
) -> str:
    """Label one scene; returns a line about it."""
    began = time.monotonic()
    movie = open_movie(video)
    every = range(scene[0], scene[-1] + 1)
    pictures = {frame: np.asarray(movie.read(frame), np.uint8) for frame in every}
    images = {frame: _shrunk(picture, options.longest) for frame, picture in pictures.items()}
    height, width, _ = images[scene[0]].shape
    encoded = [segmenter.encode(pictures[frame], (height, width)) for frame in scene]
    proposals = propose(segmenter, encoded[0], images[scene[0]], options.proposals)
    steps = (range(before, after + 1) for before, after in pairwise(scene))
    flows = (flow_across([images[frame] for frame in step]) for step in steps)
    tracklets = follow(segmenter, encoded, flows, proposals, options.tracklets)
    written = write_scene(out, name, [images[frame] for frame in scene], tracklets)
    seconds = time.monotonic() - began
    return f"{len(proposals)} proposals, {sum(written.values())} tracklets in {len(written)} sets, {seconds:.0f} s"


def _shrunk(picture: ByteArray, longest: int) -> ByteArray:
    scale = min(1.0, longest / max(picture.shape[:2]))
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def label_videos(
    segmenter: Segmenter, videos: list[Path], out: Path, options: LabellingOptions, *, minutes: float
) -> None:
    """Label a first scene of every video, then a second of each, until the time is over."""
    out.mkdir(parents=True, exist_ok=True)
    done = out / "done.txt"
    finished = set(done.read_text().split("\n")) if done.exists() else set()
    end = time.monotonic() + 60 * minutes
    chosen: dict[Path, list[SceneFrames]] = {}
    for round_number in range(options.scenes):
        for video in videos:
            name = f"{video.stem}-{round_number}"
            if name in finished:
                continue
            if time.monotonic() > end:
                return
            if video not in chosen:
                chosen[video] = choose_scenes(survey(video), options.scenes, options.frames)
            if round_number < len(chosen[video]):
                line = label_scene(segmenter, video, chosen[video][round_number], out, name, options)
                sys.stdout.write(f"{name}: frames {chosen[video][round_number]}, {line}\n")
                sys.stdout.flush()
            with done.open("a") as stream:
                stream.write(name + "\n")


def object_sets(tracklets: Sequence[FollowedObject]) -> Iterator[tuple[int, list[FollowedObject]]]:
    """Group tracklets that do not overlap and can be cut to one length: (frames, tracklets).

    An object that is not labelled would count as absent, though it is merely lost: so the objects of a set are all
    there to its end. Nested objects, such as a part of another, come into different sets.
    """
    left = sorted(tracklets, key=lambda one: -len(one.masks))
    while left:
        length = len(left[0].masks)
        chosen: list[FollowedObject] = []
        for tracklet in left:
            if 4 * len(tracklet.masks) >= 3 * length and all(_apart(tracklet, other) for other in chosen):
                chosen.append(tracklet)
        yield min(len(one.masks) for one in chosen), chosen
        taken = {id(one) for one in chosen}
        left = [one for one in left if id(one) not in taken]


def _apart(first: FollowedObject, second: FollowedObject) -> bool:
    length = min(len(first.masks), len(second.masks))
    one, other = first.masks[:length], second.masks[:length]
    shared = (one & other).sum(axis=(1, 2))
    smaller = np.minimum(one.sum(axis=(1, 2)), other.sum(axis=(1, 2)))
    return bool((shared <= _SHARED * smaller).all())


def write_scene(
    out: Path, name: str, images: Sequence[ByteArray], tracklets: Sequence[FollowedObject]
) -> dict[str, int]:
    """Write one folder a set of objects.

    Returns
    -------
    dict
        Names of the folders under JPEGImages/ and Annotations/, with their number of objects.
    """
    written: dict[str, int] = {}
    for number, (length, chosen) in enumerate(object_sets(tracklets)):
        folder = f"{name}-{chr(ord('a') + number)}"
        labels = np.zeros((length, *images[0].shape[:2]), np.uint8)
        for identity, tracklet in enumerate(chosen, start=1):
            labels[tracklet.masks[:length]] = identity
        for frame in range(length):
            _write_frame(out, folder, frame, images[frame], labels[frame])
        written[folder] = len(chosen)
    return written


def _write_frame(out: Path, folder: str, frame: int, image: ByteArray, labels: NDArray[np.uint8]) -> None:
    picture = out / "JPEGImages" / folder / f"{frame:05d}.jpg"
    truth = out / "Annotations" / folder / f"{frame:05d}.png"
    for path in (picture, truth):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(picture, quality=90)
    indexed = Image.fromarray(labels).convert("P")
    indexed.putpalette(_palette())
    indexed.putdata(labels.ravel().tolist())
    indexed.save(truth)


def _palette() -> list[int]:
    """Colors in which neighbouring numbers differ; 0 is black."""
    numbers = np.arange(256)
    colors = np.stack([(numbers * step) % 256 for step in (67, 131, 197)], axis=1)
    return [int(value) for value in colors.ravel()]
