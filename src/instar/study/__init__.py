"""Several runs as one: folds or seeds of one training, and any runs side by side. Their figures need no torch."""
