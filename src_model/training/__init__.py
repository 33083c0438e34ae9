"""Teaching a network: prompts as users give them, losses, and the fine-tuning of a checkpoint on one's own annotations.

The training from nothing that made the bundled checkpoint is the package ``training_recipe`` beside this one. It is
not installed, and nothing here may import it.
"""
