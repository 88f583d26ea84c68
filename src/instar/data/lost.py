"""What is left of characters that nobody can read again. Audit and repair of texts both go by it."""

import re

from instar.data.measure_texts import LOST

CUT = "ý{3,}"
"""U+FFFD of which only the last byte was kept, read as Latin-1: no word has three of that letter in a row."""
DEBRIS = re.compile(rf"\s*(?:(?:{LOST}|ï¿½)+(?:ï¿?|ý)?|{CUT}|ï¿$)\s*")
"""A run of such characters with the white space around it: U+FFFD, what became of it when its bytes were misread, and
a piece of that where it was cut in the middle. Each further conversion makes more of one lost character."""
