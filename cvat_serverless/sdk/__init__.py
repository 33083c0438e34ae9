"""CVAT's tasks through its SDK: objects tracked through whole videos, documents sent and fetched."""
