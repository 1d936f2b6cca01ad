"""The notebook of a run, executed in a kernel without this package, has the leaderboard of the run."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ...live import LiveServer
from ...notebooks import again, same


def orders(rows: int = 160) -> pd.DataFrame:
    """Return a table with each kind of column that the engine changes."""
    chance = random.Random(3)
    labels = [chance.choice(["naïve", "often", "never"]) for _ in range(rows)]
    labels[:4] = ["rare"] * 4  # fewer than there are folds
    frame = pd.DataFrame(
        {
            "order id": range(rows),
            "dätum": [f"{chance.randint(1, 28)}.{chance.randint(1, 12)}.2024" for _ in range(rows)],
            "amount [€]": [str(round(chance.gauss(20, 5), 2)) for _ in range(rows)],
            "city, country": [chance.choice(["Köln", "Paris", None, "Oslo"]) for _ in range(rows)],
            "is new": [chance.choice(["True", "False", None]) for _ in range(rows)],
            "weight": [chance.choice([None, 1.5, 2.25, 3.125]) for _ in range(rows)],
            "nothing": [None] * rows,
            "label": labels,
        }
    )
    frame.loc[::17, "amount [€]"] = "?"
    frame.loc[5::23, "label"] = None
    return frame


def ended_well(server: LiveServer, run_id: str) -> dict[str, Any]:
    row = server.ended(run_id)
    assert row["status"] == "succeeded", row["error"]
    return row


def test_notebook_repeats_classification_with_text_labels_dates_and_gaps(
    server: LiveServer, tmp_path: Path
) -> None:
    content = orders().to_csv(index=False, sep=";").encode("latin-1", "replace")
    source = server.upload("orders again", content)
    run = server.submit(
        server.experiment(target="label", setup_params={"fold": 6, "session_id": 11}),
        plan="compare",
        data_source_id=source["id"],
        setup_params={"ignore_features": ["order id"], "normalize": True},
        plan_params={"include": ["lr", "dt", "ridge", "rf", "nb"], "sort": "F1"},
    )
    row = ended_well(server, run["id"])
    changes = {item["change"] for item in row["snapshot"]["data_changes"]}
    assert changes >= {
        "columns_ignored",
        "empty_columns_dropped",
        "missing_words",
        "texts_to_numbers",
        "dates_expanded",
        "names_made_safe",
        "rows_without_target_dropped",
        "rare_classes",
    }
    ridge = next(item for item in row["leaderboard"] if item["model_id"] == "ridge")
    assert ridge["Log Loss"] is None
    assert ridge["AUC"] is not None, "from decision values"
    same(row, again(server, run["id"], tmp_path, {"orders again.csv": content}))


@pytest.mark.parametrize(
    "setup_params",
    [
        {
            "group_features": {"both": ["weight", "amount [€]"]},
            "max_encoding_ohe": 2,
            "polynomial_features": True,
            "remove_multicollinearity": True,
            "remove_outliers": True,
            "feature_selection": True,
            "feature_selection_method": "univariate",
            "transformation": True,
        },
        {"preparation": "pycaret", "normalize": True},
    ],
    ids=["auto", "pycaret"],
)
def test_notebook_repeats_the_preparation(
    server: LiveServer, tmp_path: Path, setup_params: dict[str, Any]
) -> None:
    content = orders().to_csv(index=False).encode()
    name = f"orders prepared {setup_params.get('preparation', 'auto')}"
    source = server.upload(name, content)
    run = server.submit(
        server.experiment(target="label", setup_params={"fold": 3}),
        plan="compare",
        data_source_id=source["id"],
        setup_params=setup_params,
        plan_params={"include": ["lr", "dt", "ada"]},
    )
    row = ended_well(server, run["id"])
    same(row, again(server, run["id"], tmp_path, {f"{name}.csv": content}))


def test_notebook_repeats_regression_from_parquet_with_model_parameters(
    server: LiveServer, tmp_path: Path
) -> None:
    frame = orders()
    frame["dätum"] = pd.to_datetime(frame["dätum"], format="%d.%m.%Y").dt.tz_localize("Asia/Tokyo")
    frame["is new"] = frame["is new"].map({"True": True, "False": False}).astype("boolean")
    frame["count"] = pd.Series([3, None, 5, 8] * 40, dtype="Int64")
    frame["label"] = frame["label"].astype("category")
    frame["waited"] = pd.to_timedelta(frame["order id"] % 7, unit="h")
    frame["score"] = frame["weight"].fillna(2) * frame.index % 13
    frame.loc[3::31, "score"] = float("inf")
    file = io.BytesIO()
    frame.drop(columns="waited").to_parquet(file)
    workspace, _ = server.default_project()
    source = server.call(
        "POST",
        f"/workspaces/{workspace}/data-sources/upload",
        201,
        files={"file": ("scores.parquet", file.getvalue())},
        data={"name": "scores again"},
    )
    run = server.submit(
        server.experiment("regression", target="score", setup_params={"fold": 4}),
        plan="create",
        model_id="rf",
        data_source_id=source["id"],
        plan_params={"n_estimators": 23, "max_depth": 4, "time_limit": 100},
    )
    row = ended_well(server, run["id"])
    same(row, again(server, run["id"], tmp_path, {"scores.parquet": file.getvalue()}))


def test_notebook_repeats_inline_rows_with_lists_and_mixed_values(
    server: LiveServer, tmp_path: Path
) -> None:
    chance = random.Random(4)
    rows = [
        {
            "tags": chance.choice([["a"], ["a", "b"], [], None]),
            "mixed": chance.choice([1, "one", 2.0, True, None]),
            "flag": chance.choice([True, False, None]),
            "when": chance.choice(["2024-02-03T04:05:06Z", "2023-01-02"]),
            "y": chance.choice([True, False]),
        }
        for _ in range(90)
    ]
    run = server.submit(
        server.experiment(target="y", setup_params={"fold": 3}),
        plan="compare",
        data_inline=rows,
        plan_params={"include": ["dt", "lr", "lightgbm"]},
    )
    row = ended_well(server, run["id"])
    same(row, again(server, run["id"], tmp_path))


def test_notebook_repeats_a_run_with_groups_weights_and_a_table_held_out(
    server: LiveServer, tmp_path: Path
) -> None:
    frame = orders(220)
    frame["importance"] = [1 + row % 3 for row in range(220)]
    frame["city, country"] = frame["city, country"].fillna("Rom")
    contents = {
        "orders to train on.csv": frame[:160].to_csv(index=False).encode(),
        "orders to hold out.csv": frame[160:].to_csv(index=False, sep=";").encode("cp1252"),
    }
    sources = {name: server.upload(name[:-4], content)["id"] for name, content in contents.items()}
    run = server.submit(
        server.experiment(target="label", setup_params={"fold": 3}),
        plan="compare",
        data_source_id=sources["orders to train on.csv"],
        setup_params={
            "test_data_source_id": sources["orders to hold out.csv"],
            "fold_groups": "order id",
            "sample_weight": "importance",
        },
        plan_params={"include": ["lr", "dt"]},
    )
    row = ended_well(server, run["id"])
    same(row, again(server, run["id"], tmp_path, contents))
