"""The finding `language`: which language most texts are in, which others there are, how many tell nothing."""

from dataclasses import replace

import polars as pl

from instar.audit.text_quality import language
from instar.charts.findings_texts import language as chart
from instar.records import Finding
from planted_worlds import GERMAN, SCATTERED, World, first, in_class, texts


def audited(world: World) -> Finding:
    return language(world.seal())


def test_one_language_passes() -> None:
    found = audited(texts())
    assert found.verdict == "passed"
    e = found.evidence
    assert found.sentence.startswith(
        f"All {e['told']} texts whose language can be told are in English, or may be: {e['alike']} may as well be in "
    )
    assert found.evidence["told"] + found.evidence["short"] + found.evidence["unclear"] == 360
    assert found.rows.is_empty()
    assert chart(found, pl.DataFrame()) == ()


def test_another_language_is_listed_with_its_texts() -> None:
    world = texts().mixed(SCATTERED, texts(0, GERMAN))
    found = audited(world)
    planted = world.frame.filter(SCATTERED)
    assert found.verdict == "note"
    assert set(found.rows["id"]) == set(planted["id"])
    assert set(found.rows["text"]) == set(planted["input"])
    assert found.rows["language"].unique().to_list() == ["German"]
    assert found.evidence["languages"] == {"English": found.evidence["told"] - 18, "German": 18}
    assert "18 of the" in found.sentence
    assert "German (18)" in found.sentence


def test_labels_of_test_rows_stay_sealed() -> None:
    world = texts().mixed(SCATTERED, texts(0, GERMAN))
    sealed = set(world.frame.filter(pl.col("split") == "test")["id"])
    rows = audited(world).rows
    assert rows.filter(pl.col("label").is_null())["id"].to_list() == [i for i in rows["id"] if i in sealed]


def test_most_frequent_others_come_first() -> None:
    codes = {"en": 300, "fr": 20, "es": 30, "pl": 10}
    column = pl.Series("measure.language", [code for code, n in codes.items() for _ in range(n)])
    found = audited(texts().change(column))
    assert list(found.evidence["languages"].items()) == [
        ("English", 300),
        ("Spanish", 30),
        ("French", 20),
        ("Polish", 10),
    ]
    assert found.rows["language"].unique(maintain_order=True).to_list() == ["Spanish", "French", "Polish"]
    assert found.evidence["other_share"] == round(60 / 360, 6)
    (drawing,) = chart(found, pl.DataFrame())
    assert drawing.frame.rows() == [("English", 300), ("Spanish", 30), ("French", 20), ("Polish", 10)]


def test_what_may_be_the_main_language_counts_as_such() -> None:
    found = audited(
        texts().change(pl.lit("hr").alias("measure.language")).where(SCATTERED, measure__language="bs hr sr")
    )
    assert (found.verdict, found.evidence["languages"]) == ("passed", {"Croatian": 360})


def test_texts_that_tell_nothing_are_counted() -> None:
    world = texts().change(pl.lit("en").alias("measure.language"))
    world = world.where(in_class("ant"), measure__language=None).where(in_class("ant", 50), measure__letters=9)
    found = audited(world.where(in_class("bee", 5), measure__language="fr"))
    assert found.evidence["told"] == 240
    assert (found.evidence["short"], found.evidence["unclear"]) == (50, 70)
    assert found.sentence.endswith(
        "It cannot be told of 50 texts of fewer than 15 letters and of 70 texts that may be in several, or hold too "
        "little of one."
    )
    (drawing,) = chart(found, pl.DataFrame())
    assert drawing.frame.rows()[-1] == ("too short or unclear", 120)


def test_short_texts_in_another_script_are_found() -> None:
    found = audited(texts().where(first(9), measure__script="Cyrillic", measure__language=None))
    assert found.verdict == "note"
    assert found.evidence["languages"]["Cyrillic script"] == 9
    assert found.evidence["scripts"] == {"Latin": 351, "Cyrillic": 9}


def test_a_language_may_have_several_scripts() -> None:
    japanese = texts().change(pl.lit("ja").alias("measure.language"), pl.lit("Cjk").alias("measure.script"))
    found = audited(japanese.where(SCATTERED, measure__script="Hiragana").where(first(2), measure__language=None))
    assert found.verdict == "passed"
    assert found.rows.is_empty()


def test_where_all_texts_are_short_scripts_are_left() -> None:
    nothing = texts().change(pl.lit(None, pl.String).alias("measure.language"))
    assert audited(nothing).verdict == "not applicable"
    found = audited(nothing.where(SCATTERED, measure__script="Greek"))
    assert found.verdict == "note"
    assert found.evidence["languages"] == {"Latin script": 342, "Greek script": 18}
    assert "18 of 360 texts (5.0 %) are not in Latin script as the others are" in found.sentence
    assert audited(nothing.change(pl.lit(None, pl.String).alias("measure.script"))).verdict == "not applicable"


def test_sets_that_were_opened_before_say_so() -> None:
    world = texts()
    for name in ("measure.language", "measure.script"):
        found = audited(replace(world, frame=world.frame.drop(name)))
        assert found.verdict == "skipped"
        assert "open it anew" in found.sentence
