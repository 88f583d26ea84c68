"""Which labels form a scale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.data.order import natural, order


@pytest.mark.parametrize(
    "scale",
    [
        ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
        ["1", "2", "3", "4", "5"],
        ["0", "1", "2"],
        ["-2", "-1", "0", "1", "2"],
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        ["grade 3", "grade 9", "grade 10"],
        ["Grade-1", "Grade-2", "Grade-3"],
        ["5 mg", "10 mg", "200 mg"],
        ["very bad", "bad", "neutral", "good", "very good"],
        ["Strongly Disagree", "Disagree", "Neutral", "Agree", "Strongly Agree"],
        ["low", "medium", "high"],
        ["LOW", "Moderate", "High"],
        ["negative", "neutral", "positive"],
        ["none", "Mild", "Moderate"],
        ["never", "rarely", "sometimes", "often", "always"],
        ["S", "M", "L", "XL"],
        ["A1", "A2", "B1", "B2", "C1"],
    ],
)
def test_scales(scale: list[str]) -> None:
    found = order(reversed(scale))
    assert (list(found.classes), found.ordered) == (scale, True), found.reason


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "dog", "owl"],
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        ["1", "2", "4"],
        ["1", "2"],
        ["class 1", "class 2", "class 3"],
        ["good", "bad"],
        ["low", "high", "purple"],
        ["good", "fine", "okay", "neutral"],
        ["1 star", "2 moons", "3 stars"],
        ["1.5", "2.5", "3.5"],
        [str(i) for i in range(1, 13)],
        ["1 star", "1 stars", "2 stars"],
    ],
)
def test_no_scale(labels: list[str]) -> None:
    found = order(labels)
    assert not found.ordered
    assert sorted(found.classes) == sorted(labels)


def test_names_are_sorted_naturally() -> None:
    assert sorted(["Image_10", "image_9", "Image_2", "b", "A"], key=natural) == [
        "A",
        "b",
        "Image_2",
        "image_9",
        "Image_10",
    ]
    assert order(["c10", "c9", "x"]).classes == ("c9", "c10", "x")


@given(st.lists(st.text(max_size=8), unique=True), st.randoms())
def test_the_order_does_not_depend_on_the_order(labels: list[str], random: object) -> None:
    shuffled = labels.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert order(labels) == order(shuffled)
    assert sorted(order(labels).classes) == sorted(labels)
