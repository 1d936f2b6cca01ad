"""Associations with a target, against scikit-learn and worked examples; leak suspects and labels that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from jupyter_pycaret_ops.kernel.reading.association import (
    TargetAssociation,
    correlation_ratio,
    level_codes,
    level_notice,
    uncertainty,
)
from jupyter_pycaret_ops.kernel.reading.columns import ReadingSettings
from jupyter_pycaret_ops.kernel.reading.profiling import profile

RANDOM = np.random.default_rng(0)


def test_uncertainty_is_the_mutual_information_over_the_entropy_less_what_chance_gives() -> None:
    codes = RANDOM.integers(0, 6, 4000)
    labels = (codes + RANDOM.integers(0, 3, 4000)) % 4
    labels[labels == 3] = 0
    by_chance = (6 - 1) * (3 - 1) / (2 * 4000)
    shares = np.bincount(labels) / 4000
    expected = (mutual_info_score(codes, labels) - by_chance) / entropy(shares)
    assert uncertainty(codes, labels) == pytest.approx(expected, rel=1e-9)


def test_uncertainty_by_hand() -> None:
    """Two levels that decide three of four rows each; ln 2 - H(1/4) over ln 2, less 1 / 16 / ln 2."""
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    told = np.log(2) - (0.25 * np.log(4) + 0.75 * np.log(4 / 3))
    assert uncertainty(codes, labels) == pytest.approx((told - 1 / 16) / np.log(2), rel=1e-12)


def test_correlation_ratio_by_hand() -> None:
    """Groups 1, 2, 3 and 5, 6, 7: 4 within, 28 in all, so that epsilon squared is 1 - 4/28 · 5/4."""
    numbers = np.array([1.0, 2, 3, 5, 6, 7])
    codes = np.array([0, 0, 0, 1, 1, 1])
    assert correlation_ratio(codes, numbers) == pytest.approx(1 - 4 / 28 * 5 / 4, rel=1e-12)


@pytest.mark.parametrize("n_levels", [2, 50, 900])
def test_columns_of_chance_have_no_association(n_levels: int) -> None:
    codes = RANDOM.integers(0, n_levels, 2000)
    assert uncertainty(codes, RANDOM.integers(0, 2, 2000)) < 0.25 * (n_levels > 100) + 0.02
    assert correlation_ratio(codes, RANDOM.normal(size=2000)) < 0.1


def test_ranges_have_equally_many_values_and_missing_ones_are_a_level() -> None:
    numbers = np.append(RANDOM.normal(size=1000), [np.nan] * 7)
    codes = level_codes(numbers)
    counts = np.bincount(codes)
    assert (len(counts), counts[-1]) == (21, 7)
    assert set(counts[:-1]) == {50}
    assert list(level_codes(np.array([3.0, 1, 1, np.nan]))) == [1, 0, 0, 2]
    assert list(level_codes(np.array([np.nan, np.nan]))) == [0, 0]


def test_constant_target_has_no_associations() -> None:
    codes = np.array([0, 1, 0, 1])
    assert uncertainty(codes, np.zeros(4, "int64")) == 0
    assert correlation_ratio(codes, np.ones(4)) == 0
    nothing = TargetAssociation(codes, None, np.zeros(4, bool))
    assert nothing.of(codes).share == 0


# ---------------------------------------------------------------- profiles


def table() -> Any:
    n_rows = 600
    left = RANDOM.random(n_rows) < 0.3
    return pd.DataFrame(
        {
            "key": [f"K-{n}" for n in range(n_rows)],
            "closing fee": np.where(left, RANDOM.uniform(5, 90, n_rows), 0.0),
            "age": RANDOM.integers(18, 90, n_rows),
            "town": RANDOM.choice(["Gent", "Lier", "Aalst"], n_rows),
            "spend": [f"{v:.2f}".replace(".", ",") for v in RANDOM.uniform(10, 200, n_rows)],
            "left": np.where(left, "Yes", "No"),
        }
    )


def found(frame: Any, target: str | None, **settings: Any) -> tuple[Any, dict[str, Any]]:
    made = profile(frame, ReadingSettings(**settings), target=target)
    return made, {column["name"]: column for column in made["columns"]}


def test_column_that_knows_the_target_is_a_leak_suspect() -> None:
    made, columns = found(table(), "left")
    assert columns["closing fee"]["association"] > 0.8
    assert columns["key"]["association"] is None
    assert columns["left"]["association"] is None
    assert all(columns[name]["association"] < 0.05 for name in ("age", "town", "spend"))
    (notice,) = made["notices"]
    assert (notice["code"], notice["column"]) == ("leak_suspect", "closing fee")
    assert notice["setup_params"] == {"ignore_features": ["closing fee"]}
    assert made["suggestion"]["task"] == "classification"


def test_column_that_decides_a_part_of_rare_labels_is_found_by_a_tree() -> None:
    """Its ranges of equally many values are too wide for the tenth that matters; a tree finds the border."""
    values = RANDOM.permutation(np.arange(3000.0))
    frame = pd.DataFrame({"score": values, "noise": RANDOM.normal(size=3000)})
    frame["fraud"] = np.where(values > 2930, "yes", "no")
    made, columns = found(frame, "fraud")
    assert columns["score"]["association"] < 0.8
    assert [notice["column"] for notice in made["notices"]] == ["score"]
    assert made["notices"][0]["facts"]["tree_score"] > 0.98


def test_numbers_as_target_and_a_copy_of_them() -> None:
    frame = table()
    frame["copy"] = [2 * float(v.replace(",", ".")) for v in frame["spend"]]
    made, columns = found(frame, "spend")
    assert columns["copy"]["association"] > 0.99
    assert [notice["column"] for notice in made["notices"]] == ["copy"]
    assert made["suggestion"]["task"] == "regression"


def test_labels_that_differ_by_case_are_counted_as_they_are_written() -> None:
    frame = table()
    frame["left"] = np.where(RANDOM.random(600) < 0.1, frame["left"].str.lower(), frame["left"])
    made, columns = found(frame, "left")
    counts = {item["value"]: item["count"] for item in columns["left"]["top"]}
    assert counts == frame["left"].value_counts().to_dict()
    notice = next(item for item in made["notices"] if item["code"] == "labels_differ_by_case")
    assert notice["setup_params"] == {"merge_levels": True}
    assert sorted(notice["facts"]["labels"]) == [["No", "no"], ["Yes", "yes"]]
    assert notice["facts"]["rows"] == counts["no"] + counts["yes"]
    assert level_notice("left", [("Yes", 3), ("No", 2)]) is None


def test_without_target_nothing_is_associated() -> None:
    made, columns = found(table(), None)
    assert made["notices"] == []
    assert {column["association"] for column in columns.values()} == {None}
    assert profile(table(), ReadingSettings(), target="nope")["notices"] == []


def test_types_that_a_person_has_set_are_used_and_the_detected_one_is_told() -> None:
    _, columns = found(table(), None, types={"age": "category"})
    age, town = columns["age"], columns["town"]
    assert (age["type"], age["detected_type"], age["set_by_person"]) == ("category", "number", True)
    assert (town["type"], town["detected_type"], town["set_by_person"]) == (
        "category",
        "category",
        False,
    )
    assert town["levels"] == [item["value"] for item in town["top"]]
    assert set(town["levels"]) == {"Gent", "Lier", "Aalst"}


def test_alternatives_say_what_another_type_would_do() -> None:
    frame = table()
    frame["code"] = ["n.n." if n % 3 == 0 else str(n % 50) for n in range(600)]
    _, columns = found(frame, None)
    effects = {
        name: {item["type"]: item["effect"] for item in column["alternatives"]}
        for name, column in columns.items()
    }
    assert effects["spend"]["category"].endswith("order is lost")
    assert effects["spend"]["text"] == "nothing unreadable, but no numbers"
    assert effects["age"]["identifier"] == "left out of training"
    assert effects["key"]["category"].endswith("most of them once")
    assert effects["code"]["number"].startswith("400 of 600 cells are readable")
    assert "number" not in effects["town"]
    for name, column in columns.items():
        assert column["type"] not in effects[name]


@pytest.mark.parametrize("kind", ["number", "date", "duration", "boolean"])
def test_type_that_no_cell_has_leaves_all_of_them_unreadable(kind: str) -> None:
    frame = pd.DataFrame({"x": ["00/00/1890", "00.03.1890"] * 5, "y": range(10)})
    _, columns = found(frame, None, types={"x": kind})
    x = columns["x"]
    assert (x["type"], x["values"], x["unreadable"]["count"]) == (kind, 0, 10)
