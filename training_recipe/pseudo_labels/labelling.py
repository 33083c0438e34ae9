"""Videos in, pseudo-labels out: scenes are chosen, labelled one by one, and written as a DAVIS folder."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.frames import open_movie
from training_recipe.pseudo_labels.proposals import ProposalSettings, propose
from training_recipe.pseudo_labels.scenes import SceneFrames, choose_scenes, survey
from training_recipe.pseudo_labels.tracklets import TrackletSettings, flow_across, follow
from training_recipe.pseudo_labels.writing import write_scene

if TYPE_CHECKING:
    from pathlib import Path

    from training_recipe.clips.clip import ByteArray
    from training_recipe.pseudo_labels.segmenter import Segmenter


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
