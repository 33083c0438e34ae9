"""How well a model tracks: protocols, baselines, measures and reports."""

from __future__ import annotations

from src_model.evaluation.evaluate import Evaluation, EvaluationRequest
from src_model.evaluation.sets import EvaluationSet, folder_set, simulated_sets
from src_model.evaluation.targets import TargetChoice

__all__ = ["Evaluation", "EvaluationRequest", "EvaluationSet", "TargetChoice", "folder_set", "simulated_sets"]
