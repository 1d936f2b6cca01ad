"""Loss of AutoML on a quarter of the rows that were kept away, beside FLAML, AutoGluon and PyCaret 3.3.

Each library has the same rows, seconds and cores, in an environment of its own, which is made the first time. The table
of results is printed, and written as JSON beside the environments (`.bench/quality.json`). `BENCH_LIBRARIES` and
`BENCH_TABLES` name some of them, between commas.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.engine_facts import SINGLE_THREADED

from .honest_scores import SHARE, Table, tables

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".bench"
PEERS = ROOT / "bench" / "peers"
BOOSTERS = ("lightgbm", "catboost")
#: library → what its environment holds
REQUIREMENTS: dict[str, Sequence[str]] = {
    "flaml": ("flaml[automl]>=2.3", "xgboost-cpu", *BOOSTERS),
    "autogluon": ("autogluon.tabular[lightgbm,catboost,xgboost]>=1.4",),
    "pycaret3": ("pycaret==3.3.2", "xgboost-cpu<3", *BOOSTERS),
}
LIBRARIES = ("ours", *REQUIREMENTS)
#: times the limit, after which a library is stopped and counts as failed
PATIENCE = 5.0
SECONDS = 45


def environment_of(library: str) -> str:
    """Return the Python of a library's environment, made if it is not there."""
    if library == "ours":
        return sys.executable
    home = PLACE / library
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        print(f"  making the environment of {library}", flush=True)
        subprocess.run(["uv", "venv", "--quiet", "--clear", str(home)], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, *REQUIREMENTS[library]], check=True)
        (home / "complete").touch()
    return str(python)


def metric_of(table: Table) -> str:
    """Return the metric of a table: of two labels AUC, of more the logarithmic loss, of numbers RMSE."""
    if table.task == "regression":
        return "rmse"
    return "auc" if table.frame[table.target].nunique() == 2 else "log_loss"


def loss_of(table: Table, truth: Any, answers: pd.DataFrame) -> float:
    """Return 1 − AUC, the logarithmic loss or RMSE; `truth` : the target of the rows, of shape (n_rows,)."""
    from sklearn.metrics import log_loss, roc_auc_score

    if table.task == "regression":
        errors = answers["prediction"].to_numpy() - truth.to_numpy(dtype=float)
        return float(np.sqrt(np.mean(errors**2)))
    labels = sorted(answers.columns)
    given = truth.astype(str)
    if len(labels) == 2:
        return float(1 - roc_auc_score((given == labels[1]).astype(int), answers[labels[1]]))
    values = np.clip(answers[labels].to_numpy(dtype=float), 1e-15, 1)
    return float(log_loss(given, values / values.sum(axis=1, keepdims=True), labels=labels))


def measure(library: str, folder: Path, seconds: float) -> tuple[pd.DataFrame | None, float]:
    """Return the answers of a library, None where it failed, and how many seconds it took with its start."""
    answers = folder / "answers.csv"
    answers.unlink(missing_ok=True)
    command = [environment_of(library), str(PEERS / f"{library}.py"), str(folder), str(seconds)]
    # ours has a process for each core, as in a worker kernel; the others use threads
    threads = SINGLE_THREADED if library == "ours" else {}
    began = time.monotonic()
    with (folder / f"{library}.log").open("w") as log:
        try:
            subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **threads, "PYTHONPATH": str(ROOT) if library == "ours" else ""},
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE * seconds + 60,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None, time.monotonic() - began
    return pd.read_csv(answers), time.monotonic() - began


def write_task(table: Table, folder: Path, seed: int) -> pd.Series[Any]:
    """Write the rows to train on and those to answer, and return the target of these, of shape (n_rows,)."""
    from sklearn.model_selection import train_test_split

    rows = table.frame[table.frame[table.target].notna()]
    groups = rows[table.target] if table.task == "classification" else None
    train, away = train_test_split(rows, test_size=SHARE, random_state=seed, stratify=groups)
    folder.mkdir(parents=True, exist_ok=True)
    train.to_csv(folder / "train.csv", index=False)
    away.to_csv(folder / "away.csv", index=False)
    away.drop(columns=[table.target]).to_csv(folder / "test.csv", index=False)
    task = {"task": table.task, "target": table.target, "metric": metric_of(table)}
    (folder / "task.json").write_text(json.dumps(task))
    truth: pd.Series[Any] = pd.read_csv(folder / "away.csv")[table.target]
    return truth


def run(seconds: int = SECONDS) -> None:
    """Print a line for each table, then mean ranks, and the share of tables on which ours is not worse."""
    only = _named("BENCH_LIBRARIES") or LIBRARIES
    chosen = _named("BENCH_TABLES")
    found: list[dict[str, Any]] = []
    for number, table in enumerate(tables()):
        if chosen and table.name not in chosen:
            continue
        folder = PLACE / "tables" / table.name.replace(" ", "-")
        truth = write_task(table, folder, seed=number)
        line: dict[str, Any] = {
            "table": table.name,
            "metric": metric_of(table),
            "loss": {},
            "s": {},
        }
        for library in only:
            answers, took = measure(library, folder, seconds)
            line["loss"][library] = None if answers is None else loss_of(table, truth, answers)
            line["s"][library] = round(took, 1)
        found.append(line)
        losses = "  ".join(
            f"{name} {'failed' if loss is None else f'{loss:.4g}'} ({line['s'][name]:.0f} s)"
            for name, loss in line["loss"].items()
        )
        print(f"  {table.name:26} {line['metric']:9} {losses}", flush=True)
        PLACE.joinpath("quality.json").write_text(json.dumps({"seconds": seconds, "tables": found}))
    summarise(found, only)


def _named(variable: str) -> list[str]:
    """Return the names in an environment variable, between commas."""
    return [name for name in os.environ.get(variable, "").split(",") if name]


def summarise(found: Sequence[dict[str, Any]], libraries: Sequence[str]) -> None:
    """Print the mean rank of each library, and the mean of its loss as a multiple of the best one's."""
    ranks, multiples = [], []
    for line in found:
        losses = pd.Series(line["loss"], dtype=float).reindex(libraries).fillna(np.inf)
        ranks.append(losses.rank(method="average"))
        multiples.append(losses / max(losses.min(), 1e-9))
    for library in libraries:
        rank = float(np.mean([one[library] for one in ranks]))
        multiple = float(np.median([one[library] for one in multiples]))
        print(f"  {library:10} mean rank {rank:.2f}, median loss {multiple:.3f} of the best")
    for other in libraries[1:]:
        wins = sum(one[libraries[0]] <= one[other] for one in ranks)
        print(f"  {libraries[0]} is not worse than {other} on {wins} of {len(ranks)}")
