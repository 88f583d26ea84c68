"""The language of texts: what is told, what is not, and that nothing is told wrongly."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from instar.data.language import LEAST_LETTERS, READ, languages, names
from instar.data.measure_texts import measure

SENTENCES = {
    "en": ["Good food", "The burgers were cold and we had to wait for half an hour."],
    "es": ["La comida estaba fría y el servicio fue muy lento.", "Esperé cuarenta minutos por una hamburguesa."],
    "fr": ["La nourriture était froide et le service très lent.", "J'ai attendu quarante minutes pour un burger."],
    "de": ["Das Essen war kalt und die Bedienung sehr langsam.", "Ich habe vierzig Minuten auf einen Burger gewartet."],
    "pt": ["A comida estava fria e o atendimento muito lento.", "O banheiro estava sujo e não havia papel."],
    "it": ["Il cibo era freddo e il servizio molto lento.", "Ho aspettato quaranta minuti per un semplice panino."],
    "nl": ["Het eten was koud en de bediening erg traag.", "Ik heb veertig minuten op een hamburger gewacht."],
    "pl": ["Jedzenie było zimne, a obsługa bardzo powolna."],
    "ru": ["Еда была холодной, обслуживание очень медленным."],
    "ja": ["料理は冷たくて、サービスはとても遅かったです。"],
}


def told(*texts: str) -> list[str | None]:
    rows = pl.DataFrame({"id": [str(i) for i in range(len(texts))], "input": texts})
    return measure(rows, Path())["measure.language"].to_list()


def test_whole_sentences_are_told() -> None:
    expected = [code for code, lines in SENTENCES.items() for line in lines if len(line) > LEAST_LETTERS]
    found = told(*(line for lines in SENTENCES.values() for line in lines if len(line) > LEAST_LETTERS))
    assert [codes and codes.split()[0] for codes in found] == expected
    assert all("en" not in (codes or "").split() for codes, code in zip(found, expected, strict=True) if code != "en")


def test_two_words_are_not_told() -> None:
    assert told("Good food", "Très bien", "ok", "", "10/10 !!", "😀😀") == [None] * 6


def test_close_relatives_stay_open() -> None:
    (codes,) = told("Ova hrana je bila hladna i usluga je bila vrlo spora.")
    assert codes is not None
    assert len(codes.split()) > 1
    assert set(codes.split()) <= {"bs", "hr", "sr", "sl"}


def test_a_letter_of_several_bytes_counts_as_several() -> None:
    chinese, russian = told("服务很慢 食物也是冷的", "Это было ужасно")
    assert chinese is not None
    assert russian is not None
    assert (chinese.split()[0], russian.split()[0]) == ("zh", "ru")


@pytest.mark.parametrize(
    "noise",
    [
        "ýýýýýýýýýýýýýýýýýýýý ýýý",
        "ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½",
        "<br/><strong></strong>&nbsp;&nbsp;&nbsp;&nbsp;",
        "https://www.beispiel.example/das-ist-eine-deutsche-adresse",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_noise_is_no_language(noise: str) -> None:
    english = "The burgers were cold and we had to wait for half an hour."
    assert told(noise, f"{english} {noise}", english) == [None, "en", "en"]


def test_a_text_counts_once_and_order_is_kept() -> None:
    lines = [SENTENCES[code][0] for code in ("es", "de", "es", "fr", "de")]
    assert languages(lines) == told(*lines)
    assert languages(lines)[0] == languages(lines)[2]


def test_only_the_beginning_is_read() -> None:
    english, german = SENTENCES["en"][1], SENTENCES["de"][0]
    assert told(f"{english} " * (READ // len(english) + 1) + f"{german} " * 100) == ["en"]


def test_languages_have_names_in_order() -> None:
    assert names()["en"] == "English"
    assert list(names()) == sorted(names())
    assert len(set(names().values())) == len(names())


def test_real_english_reviews_raise_no_alarm(shared: Path) -> None:
    table = (shared / "data/mcdonalds/McDonald_s_Reviews.csv").read_bytes().decode("cp1252", "replace")
    reviews = pl.read_csv(table.encode(), infer_schema=False)["review"].drop_nulls().unique(maintain_order=True)
    some = reviews.gather(np.random.default_rng(0).choice(len(reviews), 1500, replace=False))
    found = [codes.split() for codes in told(*some) if codes]
    assert len(found) > 1000
    assert all("en" in codes for codes in found)
