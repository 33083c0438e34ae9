"""The command ``sam2v``: one file a sub-command. Nothing here imports torch before a command needs it."""
