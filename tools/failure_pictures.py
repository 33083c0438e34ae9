"""Draws the worst masklet of each simulated kind and of the epithelium, for the model card.

python tools/failure_pictures.py [--model NAME] [--out docs/images/failures.png]

One click each, as `sam2v evaluate --protocol click` places it; green is right, yellow missed, pink too much.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.data import epithelium_path
from src_model.datasets import pair
from src_model.evaluation import EvaluationSet, simulated_sets
from src_model.evaluation.evaluate import EvaluationPlan, run_plan
from src_model.evaluation.methods import tracking_method
from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.records import RecordFile
from src_model.evaluation.report.strips import captioned, draw_masks, ranked
from src_model.evaluation.targets import TargetChoice
from src_model.masks import Rle
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPOSITORY = Path(__file__).resolve().parents[1]


def worst_of(each: EvaluationSet, predictor: StreamingPredictor, objects: int) -> tuple[str, NDArray[np.uint8]]:
    """Track a set from one click an object; give a caption for the worst masklet, and its picture."""
    method = tracking_method(predictor, make_protocols(("click",)))
    with tempfile.TemporaryDirectory() as folder:
        plan = EvaluationPlan((each,), (method,), TargetChoice(None, objects))
        records = run_plan(plan, RecordFile(Path(folder) / "r.jsonl", {}))
    _, record, scores, j = next(item for item in ranked(records) if item[0] == "worst")
    movie = next(movie for movie in each.movies if movie.name == record.key.movie)
    size = list(movie.movie.shape[1:3])
    masks = {frame: Rle.from_coco({"size": size, "counts": counts}) for frame, counts in sorted(scores.strip.items())}
    return f"{each.name}: J {j:.2f}, frames {', '.join(map(str, masks))}", draw_masks(movie, scores.object_id, masks)


def main() -> None:
    """Track, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--movies", type=int, default=2, help="simulated movies of each kind")
    parser.add_argument("--objects", type=int, default=6, help="objects a movie")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "images" / "failures.png")
    options = parser.parse_args()
    predictor = StreamingPredictor.load(options.model, precision="auto")
    labels = REPOSITORY / "tests" / "data" / "epithelium_labels.tif"
    epithelium = EvaluationSet("epithelium", (pair(epithelium_path(), labels, name="epithelium"),), "bundled")
    sets = (*simulated_sets("simulated", movies=options.movies), epithelium)
    pictures = [worst_of(each, predictor, options.objects) for each in sets]
    captioned(pictures).quantize(64).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
