"""Several sets merged into one with a new meaning: an ordinary data set with provenance, a card and its
novelty."""
