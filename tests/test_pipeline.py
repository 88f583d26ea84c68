"""The whole way on two tiny sets, through the same code; what repeats, what goes stale, what is refused."""

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from instar import pipeline, steps, store
from instar.errors import UserError
from instar.files import read_yaml
from instar.records import Temperature

COLOURS = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (50, 70, 200)}
PASSES = ["predict test", "predict validation with the probe", "predict test with the probe"]
WORDS = {"1 star": "bad cold rude", "2 stars": "meh slow stale", "3 stars": "good warm kind"}


def draw(folder: Path) -> Path:
    noise = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for i in range(14):
            pixels = np.clip(np.array(colour) + noise.normal(0, 40, (40, 48, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def write(path: Path) -> Path:
    chance = random.Random(0)
    rows = ["review,rating"]
    for stars, words in WORDS.items():
        rows += [f"{' '.join(chance.choices(words.split(), k=5))} {i},{stars}" for i in range(14)]
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(scope="module", params=["images", "texts"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    small = ("epochs=2", "batch_size=8", "threads=1")
    if request.param == "images":
        options = pipeline.Options(
            str(draw(folder / "colours")), backbone="scratch:convnet", settings=(*small, "input_size=32")
        )
    else:
        options = pipeline.Options(str(write(folder / "reviews.csv")), backbone="scratch:words", settings=small)
    return pipeline.run(options, folder / "run")


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def contents(run: Path) -> dict[str, str]:
    return {str(p.relative_to(run)): store.digest(p) for p in run.rglob("*") if p.is_file()}


def test_every_step_leaves_its_files(made: Path) -> None:
    for step in store.STEPS.values():
        assert all((made / file).exists() for file in step.writes if not file.endswith("/")), step.name
        assert store.current(made, step.name)
    assert (made / "README.md").exists()
    assert (made / "3-plan/plan.md").exists()
    stamps = store.read_machine(made)["steps"]
    assert list(stamps) == list(store.STEPS)
    assert all(stamp["seconds"] >= 0 for stamp in stamps.values())


def test_predictions_have_the_promised_columns_and_rows(made: Path) -> None:
    dataset = store.read_dataset(made)
    found = store.read_frame(made / store.PREDICTIONS)
    assert {"id", "split", "label", "predicted", *(f"p.{c}" for c in dataset.classes)} <= set(found.columns)
    test = found.filter(pl.col("split") == "test")
    assert set(test["id"]) == set(dataset.part("test")["id"])
    assert dict(test.select("id", "label").iter_rows()) == dict(store.read_sealed(made).iter_rows())
    assert np.allclose(found.select(f"p.{c}" for c in dataset.classes).sum_horizontal(), 1)


def test_a_second_call_does_nothing(run: Path) -> None:
    before = contents(run)
    pipeline.finish(run)
    assert contents(run) == before


def test_an_edited_deck_is_made_again_and_nothing_else(run: Path) -> None:
    before = store.read_machine(run)["steps"]
    path = run / "deck.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("- id: chain", "- id: chain\n  title: Mine", 1))
    assert not store.current(run, "deck")
    pipeline.finish(run)
    assert "## Mine" in (run / "report.md").read_text(encoding="utf-8")
    after = store.read_machine(run)["steps"]
    assert after["deck"] != before["deck"] and {**after, "deck": 0} == {**before, "deck": 0}
    assert store.current(run, "deck")


def test_an_edited_plan_becomes_asked_and_what_rests_on_it_is_done_again(run: Path) -> None:
    path = run / store.PLAN
    content = yaml.safe_load(path.read_text())
    content["recipe"]["weight_decay"] = 0.123
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=r"plan\.yaml has changed since step train; run `instar train"):
        pipeline.evaluate(run)
    pipeline.finish(run)
    live = store.read_plan(run)[0].live()["weight_decay"]
    assert (live.value, live.basis) == (0.123, "asked")
    assert store.read_evaluation(run).opened == 2
    assert "0.123" in (run / "3-plan/plan.md").read_text()


def test_the_test_split_is_opened_once_for_a_model(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables can be made again and again; the network answers once, unless its answers are lost or it has changed."""
    from instar.prepare import passes

    before = store.read_frame(run / store.PREDICTIONS)
    asked: list[str] = []
    logits = passes.logits

    def noted(*given: Any) -> Any:
        asked.append(given[-1])
        return logits(*given)

    monkeypatch.setattr(passes, "logits", noted)
    (run / steps.EVALUATION).unlink()
    assert pipeline.evaluate(run).opened == 1 and not asked
    assert store.current(run, "evaluate")
    (run / store.BASELINES).unlink()
    assert pipeline.evaluate(run).opened == 2
    assert [what for what in asked if not what.endswith(", mirrored")] == PASSES
    assert store.read_frame(run / store.PREDICTIONS).equals(before)
    store.write_frame(run / store.PREDICTIONS, before.reverse())
    assert pipeline.evaluate(run).opened == 3  # nobody knows whose answers these are


def test_what_fails_after_the_opening_does_not_undo_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / store.PREDICTIONS).unlink()

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_evaluation", fail)
        with pytest.raises(RuntimeError):
            pipeline.evaluate(run)
    assert store.read_machine(run)["test_opened"] == 2


def test_asking_later_and_planning_again_keep_what_was_asked(run: Path) -> None:
    pipeline.ask(run, ["clip_norm=0.5"])
    pipeline.plan(run)
    live = store.read_plan(run)[0].live()
    assert (live["clip_norm"].value, live["clip_norm"].basis) == (0.5, "asked")
    assert live["batch_size"].value == 8


def test_audit_and_plan_do_not_know_the_test_labels(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instar.plan import measure

    kept = store.read_measurements(run)
    monkeypatch.setattr(measure, "measure", lambda *_, **__: kept)
    pipeline.audit(run)
    pipeline.plan(run)
    before = [(run / f).read_bytes() for f in (store.AUDIT, store.PLAN, "3-plan/plan.md")]
    sealed = store.read_sealed(run)
    store.write_frame(run / store.SEALED, sealed.with_columns(pl.col("label").shuffle(seed=1)))
    machine = store.read_machine(run)
    machine["steps"]["open"]["writes"][store.SEALED] = store.digest(run / store.SEALED)
    store.write_yaml(run / store.MACHINE, machine)
    pipeline.audit(run)
    pipeline.plan(run)
    assert [(run / f).read_bytes() for f in (store.AUDIT, store.PLAN, "3-plan/plan.md")] == before


def test_other_options_for_the_same_directory_are_refused(run: Path) -> None:
    with pytest.raises(UserError, match="holds a run with another source"):
        pipeline.start(pipeline.Options("elsewhere"), run)


def test_predict_answers_as_in_the_evaluation(made: Path, tmp_path: Path) -> None:
    """The same examples, given anew, get the same probabilities: one pre-processing for both."""
    dataset = store.read_dataset(made)
    rows = dataset.part("test").head(5)
    if dataset.modality == "image":
        arguments = [str(Path(dataset.root) / path) for path in rows["input"]]
    else:
        arguments = [str(tmp_path / "new.txt")]
        Path(arguments[0]).write_text("\n".join(rows["input"]))
    answered = pipeline.predict(made, arguments)
    known = rows.select("id").join(store.read_frame(made / store.PREDICTIONS), on="id", maintain_order="left")
    for name in dataset.classes:
        assert answered[f"p.{name}"].to_list() == pytest.approx(known[f"p.{name}"].to_list(), abs=0.02)


def test_a_comment_in_the_plan_changes_nothing(run: Path) -> None:
    path = run / store.PLAN
    path.write_text("# looked at\n" + path.read_text())
    trained = store.read_machine(run)["steps"]["train"]
    pipeline.finish(run)
    assert store.read_machine(run)["steps"]["train"] == trained


def test_data_that_change_under_a_run_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "reviews.csv")
    folder = pipeline.start(pipeline.Options(str(source)), tmp_path / "run")
    source.write_text(source.read_text() + "\nnew text,1 star")
    with pytest.raises(UserError, match="has changed since"):
        pipeline.start(pipeline.Options(str(source)), folder)


def test_predict_says_what_it_cannot_read(made: Path, tmp_path: Path) -> None:
    if store.read_dataset(made).modality == "text":
        pytest.skip("any line is a text")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"<html>not found</html>")
    good = next((made.parent / "colours").rglob("*.png"))
    answered = pipeline.predict(made, [str(broken), str(good)])
    assert answered["label"].is_null().to_list() == [True, False]
    assert answered["error"].is_null().to_list() == [False, True]


def test_the_temperature_is_fitted_on_validation_and_used_everywhere(made: Path) -> None:
    """What the best weights give, divided by it, is what stands in the run; the answers stay the most probable ones."""
    dataset, found = store.read_dataset(made), read_yaml(made / steps.TEMPERATURE, Temperature)
    kept, written = store.read_frame(made / steps.VALIDATION), store.read_frame(made / store.PREDICTIONS)
    assert written.filter(pl.col("split") == "val").equals(kept)
    assert kept["id"].to_list() == dataset.part("val")["id"].to_list() and found.n == kept.height
    p = kept.select(f"p.{c}" for c in dataset.classes).to_numpy()
    truth = [dataset.classes.index(label) for label in kept["label"]]
    assert -np.log(p[np.arange(len(p)), truth]).mean() == pytest.approx(found.log_loss_after, abs=1e-6)
    assert found.log_loss_after <= found.log_loss_before
    assert store.read_evaluation(made).confidence.temperature == found.value


def new_texts(made: Path, folder: Path) -> list[str]:
    dataset = store.read_dataset(made)
    rows = dataset.part("test")["input"]
    if dataset.modality == "image":
        return [str(Path(dataset.root) / path) for path in rows]
    (folder / "new.txt").write_text("\n".join(rows) + "\n\n")
    return [str(folder / "new.txt")]


def test_predict_answers_only_where_it_is_sure_and_names_sets(made: Path, tmp_path: Path) -> None:
    arguments = new_texts(made, tmp_path)
    plain = pipeline.predict(made, arguments)
    with pytest.raises(UserError, match="no threshold makes the answers surely 99"):
        pipeline.predict(made, arguments, sure=0.99)
    with pytest.raises(UserError, match="validation examples cannot promise sets"):
        pipeline.predict(made, arguments, sets=0.99)
    held = pipeline.predict(made, arguments, sets=0.8)
    assert held.drop("set").equals(plain)
    readable = held.filter(pl.col("error").is_null())
    assert held.filter(pl.col("error").is_not_null())["set"].is_null().all()
    p = readable.select(f"p.{c}" for c in store.read_dataset(made).classes)
    for names, row in zip(readable["set"].to_list(), p.iter_rows(named=True), strict=True):
        shares = [row[f"p.{name}"] for name in names]
        assert shares and shares == sorted(shares, reverse=True) and shares[0] == max(row.values())


def test_a_run_without_a_temperature_says_how_to_get_one(run: Path) -> None:
    """As an older version left it: `instar train` takes up the finished training and fits it, `instar run` does so."""
    weights = store.digest(run / store.BEST)
    machine = store.read_machine(run)
    for file in (steps.TEMPERATURE, steps.VALIDATION):
        (run / file).unlink()
        del machine["steps"]["train"]["writes"][file]
    store.write_yaml(run / store.MACHINE, machine)
    with pytest.raises(UserError, match=r"temperature\.yaml is not there; run `instar run"):
        pipeline.predict(run, ["-"])
    with pytest.raises(UserError, match=r"no finished step train; run `instar train"):
        pipeline.evaluate(run)
    pipeline.finish(run)
    assert (run / steps.TEMPERATURE).exists() and store.current(run, "evaluate")
    assert store.digest(run / store.BEST) == weights


def test_reasons_for_new_examples_are_a_page_of_their_own(made: Path, tmp_path: Path) -> None:
    dataset = store.read_dataset(made)
    before = contents(made)
    if dataset.root and (Path(dataset.root) / dataset.table["input"][0]).is_file():
        new = [str(Path(dataset.root) / name) for name in dataset.table["input"][:2]]
    else:
        (tmp_path / "new.txt").write_text("\n".join(dataset.table["input"][:2]))
        new = [str(tmp_path / "new.txt")]
    page = pipeline.explain_new(made, new, tmp_path / "page.html").read_text()
    answers = pipeline.predict(made, new)
    assert page.count("<figure>") == 2 and "default-src 'none'" in page
    assert all(f"{label} ({share:.0%})" in page for label, share in answers.select("label", "probability").iter_rows())
    assert contents(made) == before
