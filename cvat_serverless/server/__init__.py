"""The part of Nuclio's dashboard that CVAT talks to, served by one process without Nuclio and without Docker."""
