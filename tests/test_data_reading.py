"""Layouts: what each is taken for, and what is said where there is nothing to learn from."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from instar.data.raw import Raw
from instar.data.reading import read
from instar.data.table import read_table
from instar.data.told import told
from instar.errors import UserError


def paint(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / path, "PNG")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def opened(source: Path, text: str | None = None, image: str | None = None, label: str | None = None) -> Raw:
    return read(str(source), text=text, image=image, label=label)


def rows(raw: Raw) -> list[tuple[str, str | None, str | None]]:
    return list(raw.frame.select("id", "label", "given").iter_rows())


REVIEWS = "stars,review\n5,Very good food\n1,Cold and slow again\n5,We come here often\n1,Never again for us\n"


def test_a_folder_per_class(tmp_path: Path) -> None:
    paint(tmp_path, "cat/10.png", "cat/9.png", "dog/a/1.png", "dog/noname", "loose.png")
    write(tmp_path / "cat/readme.txt", "about cats")
    write(tmp_path / "__MACOSX/cat/._9.png", "junk")
    write(tmp_path / "cat/Thumbs.db", "junk")
    write(tmp_path / ".git/x.png", "junk")
    raw = opened(tmp_path)
    assert rows(raw) == [
        ("cat/9.png", "cat", None),
        ("cat/10.png", "cat", None),
        ("dog/a/1.png", "dog", None),
        ("dog/noname", "dog", None),
        ("loose.png", None, None),
    ]
    assert (raw.modality, raw.root, raw.facts["ignored_files"]) == ("image", str(tmp_path), 4)


def test_the_folder_of_an_archive_is_opened(tmp_path: Path) -> None:
    paint(tmp_path, "set/pictures/cat/1.png", "set/pictures/dog/1.png")
    raw = opened(tmp_path)
    assert (raw.root, raw.frame["label"].to_list()) == (str(tmp_path / "set/pictures"), ["cat", "dog"])


@pytest.mark.parametrize("val", ["val", "valid", "Validation", "dev_set"])
def test_folders_of_splits(tmp_path: Path, val: str) -> None:
    paint(
        tmp_path,
        "train/cat/1.png",
        "train/dog/1.png",
        f"{val}/cat/1.png",
        "test/dog/1.png",
        "test/1.png",
        "more/x.png",
    )
    raw = opened(tmp_path)
    assert set(rows(raw)) == {
        ("train/cat/1.png", "cat", "train"),
        ("train/dog/1.png", "dog", "train"),
        (f"{val}/cat/1.png", "cat", "val"),
        ("test/dog/1.png", "dog", "test"),
        ("test/1.png", None, "unlabelled"),
    }
    assert raw.facts["ignored_files"] == 1


def test_train_may_be_a_class(tmp_path: Path) -> None:
    paint(tmp_path, "train/1.png", "car/1.png", "bus/1.png")
    assert opened(tmp_path).frame["label"].to_list() == ["bus", "car", "train"]


def test_a_link_in_a_circle_ends(tmp_path: Path) -> None:
    paint(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "cat" / "round").symlink_to(tmp_path)
    assert opened(tmp_path).frame.height == 2


def kaggle(root: Path) -> None:
    """As butterfly: names repeat between train and test, and mean other pictures."""
    paint(root, *(f"train/{i}.png" for i in range(1, 9)), *(f"test/{i}.png" for i in range(1, 4)))
    write(
        root / "Training_set.csv",
        "filename,label\n" + "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(1, 9)),
    )
    write(root / "Testing_set.csv", "filename\n1.png\n2.png\n3.png\n")


def test_tables_beside_pictures(tmp_path: Path) -> None:
    kaggle(tmp_path)
    raw = opened(tmp_path)
    assert rows(raw)[:2] == [("train/1.png", "b", "train"), ("train/2.png", "a", "train")]
    assert rows(raw)[8:] == [(f"test/{i}.png", None, "unlabelled") for i in (1, 2, 3)]
    assert raw.facts["table"] == "Training_set.csv + Testing_set.csv"
    assert "filename" in raw.facts["guessed"]


def test_a_missing_file_does_not_become_another_picture(tmp_path: Path) -> None:
    kaggle(tmp_path)
    (tmp_path / "train/1.png").unlink()
    (tmp_path / "test/2.png").unlink()
    raw = opened(tmp_path)
    assert rows(raw)[0] == ("train/1.png", "b", "train")
    assert rows(raw)[9] == ("test/2.png", None, "unlabelled")


def test_one_table_of_two(tmp_path: Path) -> None:
    kaggle(tmp_path)
    raw = opened(tmp_path / "Training_set.csv")
    assert (raw.frame.height, raw.frame["id"][0], raw.modality) == (8, "train/1.png", "image")


@pytest.mark.parametrize(
    "name",
    [
        "{i}.png",
        "{i}",
        "./part_{p}/{i}.png",
        "part_{p}\\{i}.png",
        "../input/set/part_{p}/{i}.png",
        "C:\\home\\me\\set\\part_{p}\\{i}.png",
        "/data/set/part_{p}/{i}.png",
    ],
)
def test_names_in_a_table(tmp_path: Path, name: str) -> None:
    """With and without suffix or folder, spread over two folders, absolute on another machine."""
    listed = [(i, 1 + i // 3) for i in range(1, 6)]
    paint(tmp_path, *(f"part_{p}/{i}.png" for i, p in listed))
    lines = "".join(f"{name.format(i=i, p=p)},{'ab'[i % 2]}\n" for i, p in listed)
    write(tmp_path / "data.csv", "which,species\n" + lines)
    assert opened(tmp_path).frame["input"].to_list() == [f"part_{p}/{i}.png" for i, p in listed]


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    paint(tmp_path, "secret.png", "set/1.png", "set/2.png", "set/3.png")
    write(tmp_path / "set/data.csv", "file,label\n1.png,a\n2.png,b\n3.png,a\n../secret.png,b\n")
    raw = opened(tmp_path / "set")
    assert not (Path(raw.root) / raw.frame["input"][3]).exists()


def test_a_picture_that_is_listed_twice(tmp_path: Path) -> None:
    paint(tmp_path, "1.png", "2.png")
    write(tmp_path / "data.csv", "file,label\n1.png,a\n2.png,b\n1.png,b\n2.png,b\n")
    raw = opened(tmp_path)
    assert raw.frame["id"].to_list() == ["1.png", "2.png", "1.png (2)", "2.png (2)"]
    assert raw.frame["input"].to_list() == ["1.png", "2.png", "1.png", "2.png"]


def test_a_table_that_lists_no_picture_is_ignored(tmp_path: Path) -> None:
    paint(tmp_path, "cat/1.png", "dog/1.png")
    write(tmp_path / "about.csv", "class,latin name\ncat,felis\ndog,canis\n")
    raw = opened(tmp_path)
    assert (raw.facts["layout"], raw.facts["ignored_files"]) == ("a folder per class", 1)


@pytest.mark.parametrize("asked", [{"text": "review", "label": "stars"}, {}])
def test_a_table_of_texts(tmp_path: Path, asked: dict[str, str]) -> None:
    write(tmp_path / "reviews.csv", REVIEWS)
    raw = opened(tmp_path / "reviews.csv", **asked)
    assert raw.modality == "text"
    assert raw.frame.row(1) == ("row 2", "Cold and slow again", "1", None)
    assert bool(raw.facts["guessed"]) is not bool(asked)
    assert rows(opened(tmp_path)) == rows(raw)


def as_csv(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_csv(path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def as_tsv(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_csv(path.with_suffix(".tsv"), separator="\t")
    return path.with_suffix(".tsv")


def as_semicolons(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_csv(path.with_suffix(".csv"), separator=";")
    return path.with_suffix(".csv")


def as_parquet(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def as_lines(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_ndjson(path.with_suffix(".jsonl"))
    return path.with_suffix(".jsonl")


def as_json(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_json(path.with_suffix(".json"))
    return path.with_suffix(".json")


@pytest.mark.parametrize("saved", [as_csv, as_tsv, as_semicolons, as_parquet, as_lines, as_json])
def test_kinds_of_tables(tmp_path: Path, saved: Callable[[Path, pl.DataFrame], Path]) -> None:
    texts = ['one, "two"; three\nfour', "  padded\ttext ", "plain words here", None, "x, y; z\r\nand so on"]
    frame = pl.DataFrame({"id": [1, 2, 3, 4, 5], "body": texts, "label": [1, 0, 1, 0, None], "n": [0.5, 1.5, 2, 3, 4]})
    raw = opened(saved(tmp_path / "data", frame), text="body", label="label")
    assert raw.frame["input"].to_list() == [text or "" for text in texts]
    assert raw.frame["label"].to_list() == ["1", "0", "1", "0", None]
    assert [c for c in raw.frame.columns if c.startswith("extra.")] == ["extra.id", "extra.n"]
    assert [float(n) for n in raw.frame["extra.n"]] == [0.5, 1.5, 2, 3, 4]


def test_a_byte_order_mark_and_padded_headers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(REVIEWS.replace("stars,", " stars ,").encode("utf-8-sig"))
    raw = opened(tmp_path / "a.csv", label="stars")
    assert (raw.facts["headers_stripped"], raw.facts["encoding"]) == (["stars"], "utf-8-sig")


def test_padded_labels_are_one_class(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", REVIEWS.replace("1,", " 1 ,"))
    raw = opened(tmp_path / "a.csv")
    assert (sorted(set(raw.frame["label"])), raw.facts["labels_stripped"]) == (["1", "5"], 2)


HEADLESS = {
    "labels first": "5,Very good food\n1,Cold and slow again\n5,We come here often\n1,Never again for us\n",
    "one word": "Excellent,1 star\nnever again for us,5 stars\nwe come here often,5 stars\nall was cold,1 star\n",
    "tabs": "7\tham\tCall me later\n8\tspam\tYou have won\n9\tham\tSee you soon\n10\tspam\tWin a prize\n",
    "a class called question": "Who is it?,question\nIt is me.,other\nAnd who are you?,question\nNobody.,other\n",
}
HEADED = {
    "names": "text,label\nso good,spam\nvery bad,ham\nso so,spam\nwell then,ham\n",
    "a number of pandas": ",0,1\n0,so good it is,1\n1,very bad it is,0\n2,so so it is,1\n3,well it is,0\n",
    "numbers for names": "0,1\nso good it is,1\nvery bad it is,0\nso so it is,1\nwell it is,0\n",
    "years": "2019,2020,label\n1,2,a\n3,4,b\n5,6,a\n1,2,b\n",
    "a name that is a class": "sms,spam\nso good it is,spam\nvery bad it is,ham\nso so it is,spam\nwell it is,ham\n",
    "headers within": "text,label\nso good,a\nvery bad,b\nso so,a\nwell then,b\nmore,a\nless,b\ntext,label\nall,a\n",
    "blank names": " , kind\nso good,a\nvery bad,b\nso so,a\nwell then,b\n",
}


@pytest.mark.parametrize("kind", HEADLESS)
def test_tables_without_a_header(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "a.csv", HEADLESS[kind])
    raw = opened(tmp_path / "a.csv")
    assert raw.frame.height == 4
    assert len(set(raw.frame["label"])) == 2
    assert "recurs below" in raw.facts["guessed"] and "column 1" in raw.facts["guessed"]
    assert raw.facts["label_column"].startswith("column ")


@pytest.mark.parametrize("kind", HEADED)
def test_a_header_is_not_taken_for_an_example(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "a.csv", HEADED[kind])
    table = read_table(tmp_path / "a.csv")
    assert (table.headless, table.frame.height) == ("", HEADED[kind].count("\n") - 1)


def test_what_the_user_names_says_whether_there_is_a_header(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", HEADED["names"])
    raw = opened(tmp_path / "a.csv", text="column 1", label="column 2")
    assert raw.frame["input"].to_list()[:2] == ["text", "so good"]
    write(tmp_path / "b.csv", "so good it is,b\nvery bad,a\nso so,b\nwell then,a\n")
    assert opened(tmp_path / "b.csv").frame.height == 4
    assert opened(tmp_path / "b.csv", label="b").frame.height == 3
    write(tmp_path / "c.csv", "column 1,column 2\nso good,a\nvery bad,b\nso so,a\nwell then,b\n")
    assert opened(tmp_path / "c.csv", label="column 2").frame.height == 4


@pytest.mark.parametrize("suffix", [".png", ""])
def test_a_table_of_pictures_without_a_header(tmp_path: Path, suffix: str) -> None:
    paint(tmp_path, *(f"pictures/{i}.png" for i in range(1, 9)))
    write(tmp_path / "list.csv", f"1{suffix},owl\n" + "".join(f"{i}{suffix},{'ab'[i % 2]}\n" for i in range(2, 9)))
    raw = opened(tmp_path)
    assert rows(raw)[:2] == [("pictures/1.png", "owl", None), ("pictures/2.png", "a", None)]
    assert 'names the picture "1' in raw.facts["guessed"]


@pytest.mark.parametrize("content", ["", "a,b\n", "a,b\n1,2,3\n4\n"])
def test_a_stray_table_that_is_broken_is_ignored(tmp_path: Path, content: str) -> None:
    paint(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    write(tmp_path / "notes.csv", content)
    raw = opened(tmp_path)
    assert (raw.frame.height, raw.facts["layout"], raw.facts["ignored_files"]) == (3, "a folder per class", 1)


def test_a_broken_table_that_is_needed_is_named(tmp_path: Path) -> None:
    paint(tmp_path, "flat/1.png", "flat/2.png", "parts/train/1.png", "parts/test/2.png")
    write(tmp_path / "flat/labels.csv", "filename,label\n1.png,a,b\n")
    assert "labels.csv is not a table" in mistake(tmp_path / "flat")
    write(tmp_path / "parts/labels.csv", "")
    assert "labels.csv is empty" in mistake(tmp_path / "parts")


def test_tables_named_after_splits(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", REVIEWS)
    write(tmp_path / "test.csv", REVIEWS)
    write(tmp_path / "unseen.csv", "review\nNobody has rated this\n")
    raw = opened(tmp_path)
    assert [given for _, _, given in rows(raw)] == ["test"] * 4 + ["train"] * 4 + ["unlabelled"]
    assert raw.frame["id"][4] == "train.csv row 1"


def test_a_column_of_splits(tmp_path: Path) -> None:
    lines = ["stars,review,data set"] + [
        f"{i % 2},Some words {i},{('train', 'valid', 'test')[i % 3]}" for i in range(9)
    ]
    write(tmp_path / "a.csv", "\n".join(lines))
    raw = opened(tmp_path / "a.csv")
    assert raw.frame["given"].to_list() == ["train", "val", "test"] * 3
    assert 'split column "data set"' in raw.facts["guessed"]


def test_guesses(tmp_path: Path) -> None:
    """A column with one value is no label, though called category; addresses recur too much for texts."""
    lines = ["user,category,address,when,opinion,verdict"]
    lines += [
        f'{i},food,"1 Long Street, Some Town, Texas {i % 3}",{i} days ago,Opinion {i} on food,{"ab"[i % 2]}'
        for i in range(30)
    ]
    write(tmp_path / "a.csv", "\n".join(lines))
    facts = opened(tmp_path / "a.csv", label="verdict").facts
    assert (facts["text_column"], facts["label_column"]) == ("opinion", "verdict")


def mistake(source: Path | str, **asked: str) -> str:
    with pytest.raises(UserError) as caught:
        opened(Path(source), **asked)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_mistakes_are_one_line_with_a_remedy(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", REVIEWS)
    assert "does not exist" in mistake(tmp_path / "nowhere")
    assert 'no column "rating"; it has "stars", "review"' in mistake(tmp_path / "a.csv", label="rating")
    assert 'no column "words"; it has "stars", "review"' in mistake(tmp_path / "a.csv", text="words")
    write(tmp_path / "empty.csv", "")
    assert "is empty" in mistake(tmp_path / "empty.csv")
    write(tmp_path / "bare.csv", "a,b\n")
    assert "no rows" in mistake(tmp_path / "bare.csv")
    write(tmp_path / "one.csv", "label,text\na,some words\na,more words\n")
    assert 'only one class, "a"' in mistake(tmp_path / "one.csv", label="label")
    write(tmp_path / "ragged.csv", "label,text\na,some words\nb,more,words,than,columns\n")
    assert "ragged.csv is not a table that can be read" in mistake(tmp_path / "ragged.csv")
    write(tmp_path / "set.zip", "PK")
    assert "unpack" in mistake(tmp_path / "set.zip")
    write(tmp_path / "vague.csv", "alpha,beta\n" + "".join(f"{i},word {i}\n" for i in range(9)))
    assert 'name it with --label, one of "alpha", "beta"' in mistake(tmp_path / "vague.csv")
    write(tmp_path / "numbers.csv", "alpha,label\n" + "".join(f"{i},{i % 2}\n" for i in range(9)))
    assert "--text" in mistake(tmp_path / "numbers.csv")


def test_mistakes_with_folders(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    assert "no picture and no table" in mistake(tmp_path / "void")
    paint(tmp_path, "single/cat/1.png", "single/cat/2.png")
    assert 'only one class, "cat"' in mistake(tmp_path / "single")
    paint(tmp_path, "flat/train/1.png", "flat/test/1.png")
    assert "without folders of classes" in mistake(tmp_path / "flat")
    paint(tmp_path, "fine/cat/1.png", "fine/dog/2.png")
    assert "leave out --label" in mistake(tmp_path / "fine", label="species")
    write(tmp_path / "several/a.csv", REVIEWS)
    write(tmp_path / "several/b.csv", REVIEWS)
    assert "a.csv, b.csv" in mistake(tmp_path / "several")


def test_pictures_without_folders_or_tables(tmp_path: Path) -> None:
    paint(tmp_path, "1.png", "2.png")
    assert "no label at all" in mistake(tmp_path)


def test_a_lone_table_of_texts_is_called_after_itself_whatever_lies_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", REVIEWS)
    paint(tmp_path, "holiday.png")
    raw = opened(tmp_path / "reviews.csv")
    assert (raw.name, raw.modality, raw.facts["ignored_files"]) == ("reviews", "text", 0)


def test_files_beside_tables_of_texts_in_a_folder_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", REVIEWS)
    write(tmp_path / "notes.txt", "not read")
    assert opened(tmp_path).facts["ignored_files"] == 1


def test_what_was_guessed_repaired_and_left_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.csv").write_bytes(
        "stars ,review\n 5,caf\xe9 one\n1,two slow\n5,three\n1,four\n".encode("cp1252")
    )
    write(tmp_path / "set/notes.txt", "not read")
    lines = list(told(opened(tmp_path / "set").facts))
    assert [line.split(":")[0] for line in lines] == [
        "guessed",
        "blanks around names of columns taken off",
        "blanks around labels taken off",
        "a.csv is not UTF-8 (bytes that do not fit",
        "files that take no part",
    ]
    assert 'label column "stars" by its name' in lines[0] and "another: --label" in lines[0]
    paint(tmp_path, "plain/cat/1.png", "plain/dog/1.png")
    assert list(told(opened(tmp_path / "plain").facts)) == []
