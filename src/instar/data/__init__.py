"""From files as they lie on disk to a measured, grouped and split `Dataset`. Free of torch."""
