"""The napari plugin of sam2v. What it contributes to the viewer is listed in ``napari.yaml`` beside this file.

- ``widget`` is the dock widget, which makes all other parts.
- ``panel`` is the view: Qt widgets that show plain state, and emit signals when the user wants something.
- ``layers`` are the view in the viewer: napari layers of prompts, masks and tracks.
- ``controllers`` take the steps on the document: prompts, tracking, background tasks. They know neither Qt nor napari.
- ``bindings`` connect the views with the controllers, each file one part of the panel.
- ``view_state`` is the plain data that views show, and the options from which `panel.forms` makes forms.
"""
