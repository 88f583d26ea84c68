"""One theme for both formats: measures of a slide in inches, four type sizes in points, one accent colour."""

from typing import Literal

WIDTH, HEIGHT = 13.333, 7.5
MARGIN = 0.6
ACROSS = WIDTH - 2 * MARGIN
KICKER_TOP, TITLE_TOP, TITLE_HEIGHT = 0.38, 0.66, 0.98
TOP, BOTTOM = 1.82, 6.82
FOOTER_TOP, FOOTER_HEIGHT = 7.02, 0.26
NUMBER_WIDTH = 0.8
GAP = 0.35

FIGURE, TITLE, BODY, SMALL = 54, 28, 18, 12
FONT = "Calibri"
FALLBACKS = "Calibri, Carlito, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
X_HEIGHT = 0.466
"""Height of Calibri's small x; browsers scale other fonts to it, so that none is much wider."""

Colour = Literal["ink", "muted", "accent", "good", "bad", "rule", "panel", "paper"]
LIGHT: dict[Colour, str] = {
    "ink": "1F2933",
    "muted": "5B6770",
    "accent": "0B6E8F",
    "good": "0B6E8F",
    "bad": "B8450B",
    "rule": "D5DADE",
    "panel": "F2F5F7",
    "paper": "FFFFFF",
}
"""Blue against orange-red: told apart by every kind of colour vision; at least 4.5 : 1 on paper and panel."""
DARK: dict[Colour, str] = {
    "ink": "E8ECEF",
    "muted": "A3AEB7",
    "accent": "5CC1E0",
    "good": "5CC1E0",
    "bad": "F29A66",
    "rule": "3A454F",
    "panel": "202A33",
    "paper": "151C23",
}
