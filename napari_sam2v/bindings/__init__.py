"""Panel, controllers and viewer, connected: each file connects one part of the panel."""
