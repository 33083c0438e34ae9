"""What an annotator draws in the tests: around the spots of the tiny movie, 52 x 40 pixels."""

from __future__ import annotations

RECTANGLE = [5.0, 10.0, 25.0, 30.0]
OTHER = [34.0, 4.0, 47.0, 17.0]
POLYGON = [5.0, 10.0, 25.0, 10.0, 25.0, 30.0, 5.0, 30.0]
MASK = [0, *[6] * 10, 60, 10, 15, 21, 24]
LATER = [12.0, 12.0, 30.0, 12.0, 30.0, 31.0, 12.0, 31.0]
