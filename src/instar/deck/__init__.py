"""The presentation: facts of a run directory, told as slides, written as PowerPoint and as one HTML page."""
