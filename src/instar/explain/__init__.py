"""Why the network answers as it does: heat maps and weighted words, and whether these can be believed."""
