"""Panel, controller and viewer connected: each file one part of the panel."""
