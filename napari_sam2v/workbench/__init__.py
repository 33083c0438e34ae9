"""What a person works with, without layers and widgets: document, selection, model, worker, status."""

from napari_sam2v.workbench.readings import Readings
from napari_sam2v.workbench.runner import End, Job, Post, Runner
from napari_sam2v.workbench.workbench import Workbench

__all__ = ["End", "Job", "Post", "Readings", "Runner", "Workbench"]
