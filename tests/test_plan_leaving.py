"""Which training rows go where a person leaves out those of a finding: never a whole class, and copies together."""

import polars as pl
import pytest

from instar.errors import UserError
from instar.plan.consequences import OTHERWISE, REASONS, consequences
from instar.plan.edits import KNOWN, fitting
from instar.plan.rows import LEAVABLE, NONE, leaving, left_out
from instar.records import Audit, Decision, Finding, Plan

TRAIN = pl.DataFrame(
    {
        "id": ["a", "a again", "a otherwise", "b", "c", "d", "e", "f"],
        "label": ["ant", "ant", "bee", "bee", "ant", "bee", "ant", "bee"],
        "twin": [0, 0, 0, 1, 2, 3, 4, 5],
    }
)
"""Three rows of one content, one of them labelled otherwise, and five contents more."""


def finding(code: str, *ids: str) -> Finding:
    return Finding(code, "issue", "So.", {}, pl.DataFrame({"id": ids}, {"id": pl.String}))


def pairs(code: str, *rows: tuple[str, str, str, str]) -> Finding:
    frame = pl.DataFrame(rows, ["id", "split", "other_id", "other_split"], orient="row")
    return Finding(code, "issue", "So.", {}, frame)


def gone(found: Finding) -> set[str]:
    return set(leaving(found, TRAIN)["id"])


@pytest.mark.parametrize("code", ["outliers", "blur", "borders", "brightness", "mojibake", "short-texts", "language"])
def test_where_the_content_is_in_doubt_all_its_copies_go(code: str) -> None:
    assert gone(finding(code, "a")) == {"a", "a again", "a otherwise"}


def test_where_the_label_is_in_doubt_copies_with_that_label_go() -> None:
    assert gone(finding("suspect-labels", "a")) == {"a", "a again"}
    assert gone(finding("suspect-labels", "a otherwise")) == {"a otherwise"}
    assert gone(finding("conflicting-labels", "a", "a again", "a otherwise")) == {"a", "a again", "a otherwise"}


@pytest.mark.parametrize("code", ["near-twins", "feature-twins"])
def test_one_of_each_pair_goes_with_its_exact_copies(code: str) -> None:
    assert gone(pairs(code, ("b", "train", "a", "train"))) == {"a", "a again", "a otherwise"}
    assert gone(pairs(code, ("a", "train", "b", "train"), ("b", "train", "c", "train"))) == {"b", "c"}
    across = (("t", "test", "d", "train"), ("e", "train", "v", "val"), ("u", "unlabelled", "f", "train"))
    assert gone(pairs(code, *across, ("v", "val", "t", "test"))) == {"d", "e", "f"}


def test_rows_of_other_parts_are_kept() -> None:
    assert gone(finding("outliers", "in val", "in test")) == set()


def test_a_row_that_two_findings_name_goes_once() -> None:
    audit = Audit((pairs("near-twins", ("e", "train", "b", "train")), finding("outliers", "b", "c")))
    left = left_out(("near-twins", "outliers"), audit, TRAIN, "plan")
    assert left.rows() == [("b", "near-twins"), ("c", "outliers")]
    assert left_out((), audit, TRAIN, "plan").is_empty()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("feature-map", "exclude names feature-map, which names rows, but none as doubtful"),
        ("class-counts", "exclude names class-counts, which is not about single rows"),
        ("blur", "exclude names blur, which could not be checked"),
        ("markup", "exclude names markup, which is no finding of the audit"),
    ],
)
def test_only_doubtful_rows_can_be_left_out(code: str, said: str) -> None:
    others = (
        finding("feature-map", *TRAIN["id"]),
        Finding("class-counts", "issue", "So.", {}, pl.DataFrame({"class": ["ant"], "n": [4]})),
        Finding("blur", "skipped", "So."),
    )
    with pytest.raises(UserError) as told:
        left_out((code,), Audit((finding("outliers", "c"), *others)), TRAIN, "plan")
    assert str(told.value) == f"plan: {said}; choose among outliers, or none: {NONE}"


def test_where_nothing_can_be_left_out_the_way_back_is_told() -> None:
    with pytest.raises(UserError, match=r"could not be checked; name none: --set exclude=\[\], or"):
        left_out(("blur",), Audit((Finding("blur", "skipped", "So."),)), TRAIN, "plan")


def test_neither_a_class_nor_everything_is_left_out() -> None:
    bees = TRAIN.filter(pl.col("label") == "bee")["id"]
    audit = Audit((finding("suspect-labels", *bees[1:]), finding("borders", *TRAIN["id"]), finding("blur", bees[0])))
    assert left_out(("suspect-labels",), audit, TRAIN, "plan").height == 3
    remedy = r"; name fewer findings, or none: --set exclude=\[\], or exclude: \[\] in the file$"
    with pytest.raises(
        UserError, match=f"^plan: exclude=suspect-labels,blur leaves no training example of bee{remedy}"
    ):
        left_out(("suspect-labels", "blur"), audit, TRAIN, "plan")
    with pytest.raises(UserError, match=f"^plan: exclude=borders leaves no training example at all{remedy}"):
        left_out(("borders",), audit, TRAIN, "plan")
    wasps = pl.DataFrame({"id": ["w"], "label": ["wasp"], "twin": [9]})
    wide = Audit((finding("outliers", *TRAIN["id"]),))
    with pytest.raises(UserError, match=r"no training example of ant \(nor of 1 other class\)"):
        left_out(("outliers",), wide, pl.concat([TRAIN, wasps]), "plan")


def test_what_a_plan_refuses_and_what_a_reader_is_offered_agree() -> None:
    assert "feature-map" not in LEAVABLE and KNOWN["exclude"] == LEAVABLE
    with pytest.raises(UserError, match="--set exclude=feature-map: "):
        fitting("exclude", ["feature-map"])
    offered = {said.rpartition("--set exclude=")[2] for said in {**REASONS, **OTHERWISE}.values() if "exclude=" in said}
    assert offered <= set(LEAVABLE)
    for code in ("near-twins", "feature-twins"):
        said = {**REASONS, **OTHERWISE}[code]
        assert "leave one of them (the one in train, where one is) and its exact copies out of the training" in said


def test_what_a_person_leaves_out_is_a_consequence_of_its_finding() -> None:
    asked = Decision("exclude", ["outliers"], "asked", (), "Asked for.", "the user")
    audit = Audit((finding("outliers", "a"), finding("blur", "b")))
    left, kept = consequences(Plan((asked,)), audit)
    assert (left.code, left.fields) == ("outliers", ("exclude",))
    assert (kept.code, kept.fields) == ("blur", ()) and "exact copies" in kept.reason
