"""What a user chooses for an export, described once for panels, command lines and files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from src_model.masks import Overlap


class ExportSettings(BaseModel):
    """The part of :class:`~src_model.formats.run.ExportOptions` that a user chooses, whatever the format."""

    model_config = ConfigDict(frozen=True)

    overlap: Overlap | None = Field(
        None,
        title="Overlap",
        description="Which object gets a pixel that several objects claim, in formats with one number a pixel",
        json_schema_extra={
            "oneOf": [
                {"const": None, "title": "as in this work", "description": "As the advanced settings say"},
                {"const": "first", "title": "first keeps", "description": "The object with the smaller id"},
                {"const": "last", "title": "last wins", "description": "The object with the larger id"},
                {"const": "score", "title": "higher score", "description": "The one that the model is surer of"},
            ]
        },
    )
    visible_only: bool = Field(
        False, title="Leave out hidden objects", description="Only objects that are shown are written."
    )
