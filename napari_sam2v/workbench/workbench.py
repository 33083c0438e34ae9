"""The workbench: everything a host needs to annotate one movie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.workbench.bench import Bench
from napari_sam2v.workbench.prompt_desk import PromptDesk
from napari_sam2v.workbench.track_desk import TrackDesk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_sam2v.workbench.runner import Post
    from src_model.tracking import StreamingPredictor


class Workbench(Bench):
    """A bench with all its desks. All methods belong on the host's thread; parameters are those of the bench.

    Attributes
    ----------
    prompts
        Takes prompts and has the model answer them.
    tracking
        Tracks objects through the movie.
    """

    def __init__(
        self, post: Post, load_predictor: Callable[[], StreamingPredictor], features_folder: Path | None = None
    ) -> None:
        super().__init__(post, load_predictor, features_folder)
        self.prompts = PromptDesk(self)
        self.tracking = TrackDesk(self)
