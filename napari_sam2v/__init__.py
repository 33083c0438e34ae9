"""The napari host of sam2v. What it contributes to the viewer is listed in ``napari.yaml`` beside this file."""
