"""How well a model tracks: protocols, baselines, measures and reports."""

from __future__ import annotations

from src_model.evaluation.evaluate import Evaluation, Request
from src_model.evaluation.sets import EvaluationSet, folder_set, simulated_sets
from src_model.evaluation.targets import TargetChoice

__all__ = ["Evaluation", "EvaluationSet", "Request", "TargetChoice", "folder_set", "simulated_sets"]
