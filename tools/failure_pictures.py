"""Draws the worst masklet of each simulated kind and of the epithelium, for the model card.

python tools/failure_pictures.py [--model NAME] [--out docs/images/failures.png]

One click each, as `sam2v evaluate --protocols click` places it; green is right, yellow missed, pink too much.
"""

from __future__ import annotations

import argparse
import base64
import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from src_model.data import epithelium_path
from src_model.datasets import LabelledMovie, pair
from src_model.evaluation import EvaluationSet, simulated_sets
from src_model.evaluation.methods import tracking_method
from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.records import RecordFile
from src_model.evaluation.report.strips import Strip, draw_strip, ranked
from src_model.evaluation.runner import Plan, run
from src_model.evaluation.targets import TargetChoice
from src_model.tracking import StreamingPredictor

REPOSITORY = Path(__file__).resolve().parents[1]
CAPTION = 18


def worst_of(each: EvaluationSet, predictor: StreamingPredictor, objects: int) -> Strip:
    """Track a set from one click an object and draw the worst masklet."""
    method = tracking_method(predictor, make_protocols(("click",)))
    with tempfile.TemporaryDirectory() as folder:
        records = run(Plan((each,), (method,), TargetChoice(None, objects)), RecordFile(Path(folder) / "r.jsonl", {}))
    rank, record, scores, j = next(item for item in ranked(records) if item[0] == "worst")
    movies: dict[str, LabelledMovie] = {movie.name: movie for movie in each.movies}
    return draw_strip(rank, movies[record.key.movie], scores, j)


def sheet(strips: list[tuple[str, Strip]]) -> Image.Image:
    """Stack strips under one another, each with its name and J."""
    pictures = [Image.open(io.BytesIO(base64.b64decode(strip.picture.split(",")[1]))) for _, strip in strips]
    height = sum(picture.height + CAPTION for picture in pictures)
    canvas = Image.new("RGB", (max(picture.width for picture in pictures), height), "white")
    draw, top = ImageDraw.Draw(canvas), 0
    for (name, strip), picture in zip(strips, pictures, strict=True):
        frames = ", ".join(map(str, strip.frames))
        draw.text((2, top + 3), f"{name}: J {strip.j:.2f}, frames {frames}", fill="black")
        canvas.paste(picture.convert("RGB"), (0, top + CAPTION))
        top += CAPTION + picture.height
    return canvas


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
    strips = [(each.name, worst_of(each, predictor, options.objects)) for each in sets]
    sheet(strips).quantize(128).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
