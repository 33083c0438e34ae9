"""Label videos: ``python -m src_model.training.pseudo_labels --weights W --videos DIR --out DIR --minutes 30``.

Started again it goes on with the scenes that are not done yet.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from src_model.frames import open_movie
from src_model.nn import MODEL_CONFIGS, build_network
from src_model.training.pseudo_labels.proposals import ProposalSettings, propose
from src_model.training.pseudo_labels.scenes import Scene, choose_scenes, survey
from src_model.training.pseudo_labels.segmenter import Segmenter
from src_model.training.pseudo_labels.tracklets import TrackletSettings, flow_across, follow
from src_model.training.pseudo_labels.writing import write_scene

if TYPE_CHECKING:
    from src_model.training.clips.clip import ByteArray


@dataclass(frozen=True, slots=True)
class Options:
    """How much is labelled and what is trusted; `longest` is the long side of what is written, in pixels."""

    scenes: int = 2
    frames: int = 10
    longest: int = 640
    proposals: ProposalSettings = field(default_factory=ProposalSettings)
    tracklets: TrackletSettings = field(default_factory=TrackletSettings)


def label_scene(segmenter: Segmenter, video: Path, scene: Scene, out: Path, name: str, options: Options) -> str:
    """Label one scene; returns a line about it."""
    began = time.monotonic()
    movie = open_movie(video)
    every = range(scene.frames[0], scene.frames[-1] + 1)
    pictures = {frame: np.asarray(movie.read(frame), np.uint8) for frame in every}
    images = {frame: _shrunk(picture, options.longest) for frame, picture in pictures.items()}
    height, width, _ = images[scene.frames[0]].shape
    encoded = [segmenter.encode(pictures[frame], (height, width)) for frame in scene.frames]
    proposals = propose(segmenter, encoded[0], images[scene.frames[0]], options.proposals)
    steps = (range(before, after + 1) for before, after in pairwise(scene.frames))
    flows = (flow_across([images[frame] for frame in step]) for step in steps)
    tracklets = follow(segmenter, encoded, flows, proposals, options.tracklets)
    written = write_scene(out, name, [images[frame] for frame in scene.frames], tracklets)
    seconds = time.monotonic() - began
    return f"{len(proposals)} proposals, {sum(written.values())} tracklets in {len(written)} sets, {seconds:.0f} s"


def _shrunk(picture: ByteArray, longest: int) -> ByteArray:
    scale = min(1.0, longest / max(picture.shape[:2]))
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def label_videos(segmenter: Segmenter, videos: list[Path], out: Path, options: Options, *, minutes: float) -> None:
    """Label a first scene of every video, then a second of each, until the time is over."""
    out.mkdir(parents=True, exist_ok=True)
    done = out / "done.txt"
    finished = set(done.read_text().split("\n")) if done.exists() else set()
    end = time.monotonic() + 60 * minutes
    chosen: dict[Path, list[Scene]] = {}
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
                sys.stdout.write(f"{name}: frames {chosen[video][round_number].frames}, {line}\n")
                sys.stdout.flush()
            with done.open("a") as stream:
                stream.write(name + "\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="an image model, as convert_mobile_sam makes it")
    parser.add_argument("--videos", type=Path, required=True, help="folder of .mp4 files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--scenes", type=int, default=2, help="scenes a video")
    parser.add_argument("--frames", type=int, default=10, help="frames a scene")
    parser.add_argument("--size", type=int, default=1024, help="side of the network input")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    from safetensors.torch import load_file

    network = build_network(MODEL_CONFIGS["default"])
    network.load_state_dict(load_file(given.weights))
    options = Options(scenes=given.scenes, frames=given.frames)
    videos = sorted(given.videos.glob("*.mp4"))
    label_videos(Segmenter(network, given.size), videos, given.out, options, minutes=given.minutes)


if __name__ == "__main__":
    main()
