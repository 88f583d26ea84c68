"""The language of a text, as far as it can be told."""

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

from py3langid.langid import MODEL_FILE, LanguageIdentifier

READ = 500
"""Characters of a text that are read: more tell no more, and reading costs time."""
LEAST_LETTERS = 15
"""Letters below which no language is named, a letter of two or three bytes in UTF-8 counting as so many: 15 of English,
8 of Russian, 5 of Chinese. Two words of English may well be French."""
SURE = 0.95
"""Probability that has to be reached. With it and `MOST`, 119 of 120 foreign reviews of one sentence are told from
English ones, no one of 17,989 different English reviews is taken for another language, and of 29,205 lines from
translations of a program into 80 languages 8 are: Serbian for Croatian or Bosnian, and words in Chinese characters of
Japanese for Chinese (docs/LOG.md)."""
MOST = 5
"""Languages between which a text may be undecided; with more it tells nothing."""
NO_LANGUAGE = "zxx"
"""ISO 639 for what is no language: numbers, parts of programs, noise."""


def tidy(text: str, noise: re.Pattern[str]) -> str:
    """The first `READ` characters without noise, addresses and long runs of one character."""
    text = noise.sub(" ", text[: 2 * READ])
    text = _RUN.sub(lambda run: run[1] if run[1].isascii() else " ", _ADDRESS.sub(" ", text))
    return " ".join(text.split())[:READ]


_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+")
_RUN = re.compile(r"(\D)\1{2,}")
"""Nooooo, ýýýýýýý: the run says nothing of the language, and what is left of lost characters looks like Turkmen."""


def languages(texts: Iterable[str]) -> list[str | None]:
    """Codes (ISO 639) of the languages that each tidy text may be in, likeliest first, with blanks between.

    The fewest languages that reach probability `SURE` together: "es" is Spanish, "es gl" Spanish or Galician, but
    neither English nor Portuguese. Where languages are alike, a single best guess would be wrong or unsure of a text
    that is surely none of all others. None: too short, no language, or undecided between more than `MOST`.

    Naive Bayes over byte n-grams that tell languages apart in every domain (Lui, Baldwin 2012, "langid.py: An
    Off-the-shelf Language Identification Tool", ACL demos), as trained and calibrated by py3langid. Each different text
    is read once; some 0.3 ms for a sentence, and a second to load the model.
    """
    found: dict[str, str | None] = {}
    for text in (texts := list(texts)):
        if text not in found:
            letters = "".join(filter(str.isalpha, text)).encode(errors="surrogatepass")
            found[text] = _told(text) if len(letters) >= LEAST_LETTERS else None
    return [found[text] for text in texts]


def _told(text: str) -> str | None:
    codes, total = [], 0.0
    for code, probability in _identifier().rank(text)[:MOST]:
        codes.append(code)
        total += probability
        if total >= SURE:
            return None if codes[0] == NO_LANGUAGE else " ".join(codes)
    return None


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*names(), NO_LANGUAGE])
    return identifier


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """The languages that are told apart: code -> name.

    Left out of what py3langid knows: Latin, Ancient Greek, Biblical Hebrew, Sanskrit, Volapük, and relatives of large
    languages with few writers (Nigerian Pidgin, Extremaduran, Aragonese, Ligurian, Venetian, Walloon, Latgalian, French
    creoles of the Antilles and of Guiana), which take probability from every short text of those: with them 116 of the
    120 sentences are told.
    """
    lines = resources.files("instar.data").joinpath("languages.txt").read_text("utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)
