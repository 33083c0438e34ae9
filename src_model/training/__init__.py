"""Training of the default checkpoint: clips, prompts, losses, and the run itself."""
