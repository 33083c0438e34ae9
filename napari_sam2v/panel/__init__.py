"""What the user sees: Qt widgets that show plain state and report wishes as signals.

Nothing in here knows a viewer, a layer or a document. State comes in through setters, as the small dataclasses of
``view_state``; what the user wants goes out through Qt signals; setters never emit. ``view_state``, ``wording``,
``time_columns`` and ``doubt`` need no Qt, so that controllers and tests without a screen can import them.
``panel.Panel`` puts the sections into one column; ``python -m napari_sam2v.panel.gallery OUT.png`` draws it in all its
states.
"""
