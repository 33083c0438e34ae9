"""What the user sees beside the image: Qt widgets that show plain state, and report what the user wants as signals.

Nothing in here knows a viewer, a layer or a document. State comes in through setters, as the small dataclasses of
`napari_sam2v.view_state`; what the user wants goes out through Qt signals; setters never emit. ``panel.Panel`` puts the
sections into one column. ``python -m tests.napari_sam2v.panel.gallery OUT.png`` draws it in all its states.
"""
