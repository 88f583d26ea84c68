"""The augmentations that instar knows for pictures, for readers and for the plan; torch is not needed
here."""

AUGMENTATIONS: dict[str, str] = {
    "random_resized_crop": "a random part of the picture, 35 to 100 % of its area, at the input size",
    "horizontal_flip": "mirrored left to right, every second time",
    "color_jitter": "brightness, contrast and saturation changed by up to 30 %",
    "grayscale": "colours taken away, every tenth time",
    "trivial_augment": "one of 14 changes (turn, shear, shift, colour, sharpness ...) of random strength",
}
"""Name -> what it does to a training picture."""
