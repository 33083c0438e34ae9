"""What is done on a document, without layers and widgets: prompts, tracking, background tasks, the next step."""

from napari_sam2v.controllers.annotation_controller import AnnotationController
from napari_sam2v.controllers.prompt_controller import MaskCandidates
from napari_sam2v.controllers.worker import End, Job, Post, Worker

__all__ = ["AnnotationController", "End", "Job", "MaskCandidates", "Post", "Worker"]
