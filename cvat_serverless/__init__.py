"""Serving the tracker to CVAT: Nuclio functions, functions for the CVAT command line, a command for whole videos."""
