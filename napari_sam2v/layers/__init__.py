"""napari layers on one side, plain data on the other: the movie, its prompts, and what was tracked."""
