"""A step never rests on a file that is missing, half-written or changed."""

from pathlib import Path
from time import monotonic

import polars as pl
import pytest

from instar import store
from instar.errors import UserError
from instar.records import Audit, Dataset, Decision, Finding, Plan


def world() -> tuple[Dataset, pl.DataFrame]:
    table = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "input": ["1", "2", "3", "4"],
            "label": ["x", "y", "x", None],
            "split": ["train", "train", "val", "test"],
            "group": [0, 1, 2, 3],
            "error": pl.Series([None] * 4, dtype=pl.String),
        }
    )
    dataset = Dataset("w", "text", "w.csv", "", ("x", "y"), False, {"x": 2, "y": 2}, {"rows": 4}, table)
    return dataset, pl.DataFrame({"id": ["d"], "label": ["y"]})


def opened(run: Path) -> None:
    store.write_dataset(run, *world())
    store.finish(run, "open", monotonic())


def test_a_table_of_a_finding_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"anything": ["1", "", None, '2"'], "n": [1, None, 3, 4], "share": [1.0, 2.0, None, 4.0], "none": [None] * 4},
        {"anything": pl.String, "n": pl.UInt32, "share": pl.Float64, "none": pl.String},
    ).with_columns(yes=pl.col("n") > 1)
    found = [Finding("whole", "note", "", {}, rows), Finding("empty", "passed", "", {}, rows.clear())]
    store.write_audit(tmp_path, Audit((*found, Finding("bare", "passed", ""))))
    kept = store.read_audit(tmp_path)
    for before in found:
        assert kept[before.code].rows.schema == rows.schema and kept[before.code].rows.equals(before.rows)
    assert not kept["bare"].rows.width


def audited(run: Path, share: float = 0.5) -> None:
    store.begin(run, "audit")
    finding = Finding("twins", "issue", "half", {"share": share}, pl.DataFrame({"id": ["a"], "label": ["1"]}))
    store.write_audit(run, Audit((finding,)))
    store.finish(run, "audit", monotonic())


def test_a_dataset_comes_back_as_it_was_written(tmp_path: Path) -> None:
    dataset, sealed = world()
    store.write_dataset(tmp_path, dataset, sealed)
    back = store.read_dataset(tmp_path)
    assert back == dataset
    assert back.table.equals(dataset.table)
    assert store.read_sealed(tmp_path).rows() == [("d", "y")]


def test_test_labels_cannot_be_written_beside_the_others(tmp_path: Path) -> None:
    dataset, sealed = world()
    open_label = dataset.table.with_columns(pl.col("label").fill_null("y"))
    with pytest.raises(AssertionError):
        store.write_dataset(tmp_path, Dataset(**{**vars(dataset), "table": open_label}), sealed)


def test_an_audit_comes_back_with_labels_that_look_like_numbers(tmp_path: Path) -> None:
    opened(tmp_path)
    audited(tmp_path)
    finding = store.read_audit(tmp_path)["twins"]
    assert finding.evidence == {"share": 0.5}
    assert finding.rows.rows() == [("a", "1")]


def test_a_step_without_its_predecessor_is_refused_with_a_remedy(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(UserError, match="no finished step audit; run `instar audit"):
        store.begin(tmp_path, "plan")


def test_a_changed_input_is_refused_naming_file_and_remedy(tmp_path: Path) -> None:
    opened(tmp_path)
    audited(tmp_path)
    store.begin(tmp_path, "plan")
    (tmp_path / store.AUDIT).write_text("[]")
    with pytest.raises(UserError, match=r"audit\.yaml has changed since step audit; run `instar audit .*again"):
        store.begin(tmp_path, "plan")


def test_a_step_on_older_input_is_refused_however_far_upstream_the_change(tmp_path: Path) -> None:
    opened(tmp_path)
    audited(tmp_path)
    dataset, sealed = world()
    store.write_dataset(tmp_path, Dataset(**{**vars(dataset), "name": "other"}), sealed)
    store.finish(tmp_path, "open", monotonic())
    with pytest.raises(UserError, match=r"dataset\.yaml has changed since step audit; run `instar audit"):
        store.begin(tmp_path, "plan")
    assert not store.current(tmp_path, "audit")


def test_sealed_labels_may_be_shuffled_without_a_step_before_evaluate_noticing(tmp_path: Path) -> None:
    opened(tmp_path)
    audited(tmp_path)
    assert not any(store.SEALED in store.STEPS[s].reads for s in store.STEPS if s != "evaluate")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    store.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), store.replacing(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_key_in_the_plan_is_named(tmp_path: Path) -> None:
    decision = Decision("seed", 0, "fixed", (), "why", "our judgement")
    store.write_plan(tmp_path, Plan((decision,)))
    assert store.read_plan(tmp_path) == (Plan((decision,)), {"seed": 0})
    path = tmp_path / store.PLAN
    path.write_text(path.read_text().replace("  reason:", "  raeson:"))
    with pytest.raises(UserError, match=r"raeson|reason"):
        store.read_plan(tmp_path)


def test_broken_yaml_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / store.PLAN
    store.write_text(path, "recipe: [\n")
    with pytest.raises(UserError) as error:
        store.read_plan(tmp_path)
    assert "\n" not in str(error.value)
    assert "not valid YAML" in str(error.value)
