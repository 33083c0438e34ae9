"""Single images: the same network with an empty memory, which makes it SAM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from src_model.errors import MovieError, PromptError
from src_model.frames import FrameSource, Normalization, decide_normalization, open_movie
from src_model.prompts import Prompt, make_prompt
from src_model.tracking.preprocessing import click_tensors, prompt_tensors
from src_model.tracking.rendering import render_mask
from src_model.tracking.results import shown_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from src_model.masks import Rle
    from src_model.nn import ImageFeatures, MaskPrediction
    from src_model.tracking.predictor import StreamingPredictor


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """The answer to a prompt on an image: M = 3 candidates, or M = 1.

    Attributes
    ----------
    rles
        M masks ``(Y, X)``, run-length encoded, in the decoder's order.
    scores
        ``(M,)`` predicted IoU of each mask, about 0 to 1.
    logits
        ``(M, S / 4, S / 4)`` low-resolution mask logits; one of them may be given back as ``mask_logits``.
    object_score
        Probability that there is an object where the prompt says.
    """

    rles: tuple[Rle, ...]
    scores: tuple[float, ...]
    logits: Tensor = field(repr=False)
    object_score: float

    @property
    def masks(self) -> NDArray[np.bool_]:
        """All masks, ``(M, Y, X)`` bool."""
        return np.stack([rle.decode() for rle in self.rles])

    @property
    def best(self) -> int:
        """Number of the mask of the highest score."""
        return int(np.argmax(self.scores))


@dataclass(frozen=True, slots=True)
class _EncodedImage:
    shape: tuple[int, int]
    features: ImageFeatures


def open_image(image: ArrayLike) -> FrameSource:
    """Take an image ``(Y, X)`` or ``(Y, X, 3)`` as a movie of one frame.

    Raises
    ------
    MovieError
        If it is none.
    """
    pixels = np.asarray(image)
    if pixels.ndim not in (2, 3):
        raise MovieError(f"an image has the shape (Y, X) or (Y, X, 3), not {pixels.shape}")
    return open_movie(pixels[None], axes="TYX" if pixels.ndim == 2 else "TYXS", name="image")


class ImagePredictor:
    """Answers prompts on one image at a time; nothing is remembered from image to image.

    Parameters
    ----------
    predictor
        A loaded network; it may track movies at the same time.
    """

    def __init__(self, predictor: StreamingPredictor) -> None:
        self._steps = predictor.steps
        self._encoded: _EncodedImage | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(Y, X)`` of the image.

        Raises
        ------
        PromptError
            If no image was set.
        """
        return self._image.shape

    def set_image(self, image: ArrayLike, normalization: Normalization | None = None) -> None:
        """Encode an image; prompts from now on are about it.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``, integers or floats.
        normalization
            How pixel values become 0..1; decided from the image if left out.

        Raises
        ------
        MovieError
            If this is no image, or the normalization does not fit it.
        """
        source = open_image(image)
        chosen = normalization or decide_normalization(source)
        features = self._steps.encode_image(source.read(0), chosen)
        self._encoded = _EncodedImage((source.shape[1], source.shape[2]), features)

    def predict(
        self,
        *,
        points: ArrayLike | None = None,
        labels: Sequence[int] | None = None,
        box: Sequence[float] | None = None,
        mask_logits: Tensor | ArrayLike | None = None,
        multimask: bool = True,
    ) -> ImagePrediction:
        """Find what points, a box and an earlier answer describe.

        Parameters
        ----------
        points, labels
            ``(N, 2)`` of (y, x) pixels, and one label a point: 1 inside the object, 0 outside (default: all 1).
        box
            ``(y0, x0, y1, x1)`` in pixels.
        mask_logits
            ``(S / 4, S / 4)``: one of the ``logits`` of an earlier prediction on this image, to be refined.
        multimask
            Give three candidates; best for a single ambiguous click.

        Returns
        -------
        ImagePrediction

        Raises
        ------
        PromptError
            If no image was set, nothing was given, or what was given cannot be meant.
        """
        image = self._image
        earlier = None if mask_logits is None else self._checked_logits(mask_logits)
        if points is None and box is None and labels is None and earlier is not None:
            prompt = Prompt()
        else:
            prompt = make_prompt(image.shape, points=points, labels=labels, box=box)
        tensors = prompt_tensors(prompt, image.shape, self._steps.image_size, earlier, self._steps.device)
        prediction = self._steps.segment(image.features, tensors, multimask=multimask)
        logits = prediction.logits[0]
        return ImagePrediction(
            tuple(render_mask(mask, image.shape, self._steps.settings) for mask in logits),
            tuple(shown_score(score) for score in prediction.iou[0].tolist()),
            logits,
            float(prediction.object_logits[0, 0].sigmoid()),
        )

    def predict_each(self, points: ArrayLike, *, multimask: bool = True) -> MaskPrediction:
        """Answer many single clicks at once, each as a prompt of its own.

        Parameters
        ----------
        points
            ``(N, 2)`` of (y, x) pixels, all inside objects.
        multimask
            Give three candidates a point.

        Returns
        -------
        MaskPrediction
            Of batch size N; its logits ``(N, M, S / 4, S / 4)`` are not rendered yet.

        Raises
        ------
        PromptError
            If no image was set, or a point lies outside of it.
        """
        image = self._image
        prompt = make_prompt(image.shape, points=points)
        tensors = click_tensors(prompt.points, image.shape, self._steps.image_size, self._steps.device)
        return self._steps.segment(image.features, tensors, multimask=multimask)

    @property
    def _image(self) -> _EncodedImage:
        if self._encoded is None:
            raise PromptError("there is no image to prompt yet; call set_image(image) first")
        return self._encoded

    def _checked_logits(self, mask_logits: Tensor | ArrayLike) -> Tensor:
        side = self._steps.image_size // 4
        given = torch.as_tensor(mask_logits, dtype=torch.float32, device=self._steps.device)
        if tuple(given.shape) not in {(side, side), (1, side, side)}:
            raise PromptError(
                f"mask logits have shape {tuple(given.shape)}; expected ({side}, {side}), one of the logits of an "
                "earlier prediction"
            )
        if not bool(torch.isfinite(given).all()):
            raise PromptError("mask logits must be finite numbers; some are not")
        return given.reshape(1, 1, side, side)
