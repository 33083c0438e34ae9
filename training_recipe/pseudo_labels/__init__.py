"""Pseudo-labels: objects of videos that nobody annotated, drawn by an image model and followed by optical flow."""
