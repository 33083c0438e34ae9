"""Teaching a checkpoint one's own annotations, in minutes, with the image encoder kept as it is."""

from src_model.training.fine_tuning.run import FineTuneRequest, FineTuneResult, fine_tune

__all__ = ["FineTuneRequest", "FineTuneResult", "fine_tune"]
