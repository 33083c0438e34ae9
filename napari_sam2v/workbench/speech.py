"""Errors as one sentence for the person at the microscope."""

from __future__ import annotations

from src_model.errors import Sam2vError


def in_words(error: Exception) -> str:
    """Say what went wrong and that nothing is lost; our own errors already say what to do."""
    if isinstance(error, Sam2vError):
        text = str(error)
        return text[:1].upper() + text[1:]
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "There is not enough memory for this. Choose a smaller model or close other programs; your work is kept."
    return f"Something went wrong that should not have: {type(error).__name__}: {error}. Your work is kept."
