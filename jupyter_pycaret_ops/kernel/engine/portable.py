"""The classes of a stored pipeline.

They are pickled by value (see `finalize`): loading the pickle needs numpy, pandas, scikit-learn and
cloudpickle, but neither this package nor PyCaret. So this module imports nothing else of this package but
`spellings`, which is pickled by value as well. Stored pipelines depend on the names of classes, attributes and
methods.
"""

# ruff: noqa: N803 - X is what scikit-learn calls it, and it is part of the interface
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, ClusterMixin, TransformerMixin, clone
from sklearn.utils.metaestimators import available_if

from jupyter_pycaret_ops.common.tables.spellings import (
    MISSING_TEXTS,
    date_of,
    in_offset,
    is_missing_word,
    number_of,
    number_text,
    parse_boolean,
    parse_number,
    seconds_of,
    text_of,
    trimmed,
    with_offset,
)


def unique_names(names: Iterable[Any]) -> list[str]:
    """Return column names as unique strings, in order: `[1, "a", "a"]` → `["1", "a", "a_2"]`."""
    texts = ["_".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in names]
    if len(set(texts)) == len(texts):
        return texts
    taken, result = set(texts), []
    seen: set[str] = set()
    for text in texts:
        name, number = text, 2
        while name in seen or (name != text and name in taken):
            name, number = f"{text}_{number}", number + 1
        seen.add(name)
        result.append(name)
    return result


def is_missing(values: Any) -> Any:
    """Return which values are missing, bool array of shape (n_rows,); a list is a value.

    `values` : object array of shape (n_rows,).
    """
    return np.asarray(pd.isna(values), dtype=bool)


def read_numbers(
    series: Any, spelling: dict[str, Any] | None = None, *, strict: bool = True
) -> Any:
    """Return a column as float64 array of shape (n_rows,); missing and infinite values are NaN.

    `series` : Series of shape (n_rows,) with numeric, boolean or object dtype; texts are read by `spelling`. Raises
    ValueError or TypeError for a value that is no number; with `strict=False` such a value is NaN.
    """
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "fiub":
        numbers = series.to_numpy(dtype="float64", copy=True)
    elif isinstance(dtype, np.dtype) and dtype.kind != "O":
        raise ValueError(f"{dtype} is no number")
    elif pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        numbers = np.array(series.to_numpy(dtype="float64", na_value=np.nan))
    else:
        rule = spelling or {}
        words = _own_words(rule)

        def read(text: str) -> float | None:
            if is_missing_word(text, is_text=False, words=words):
                return np.nan
            if "true" in rule:
                truth = parse_boolean(text)
                return None if truth is None else float(truth)
            number = number_of(text, rule)
            return None if number is None else number.value

        numbers = _parsed(series, read, "number", strict=strict)
    numbers[np.isinf(numbers)] = np.nan
    if "true" in (spelling or {}):
        other = ~np.isnan(numbers) & (numbers != 0) & (numbers != 1)
        if strict and other.any():
            raise ValueError(f"{numbers[other][0]:g} is no boolean")
        numbers[other] = np.nan
    for word in (spelling or {}).get("missing_words") or ():
        number = parse_number(word)
        if number is not None:
            numbers[numbers == number.value] = np.nan
    return numbers


def _own_words(rule: dict[str, Any]) -> frozenset[str] | None:
    words = rule.get("missing_words")
    return None if words is None else frozenset(words)


def _parsed(series: Any, read: Any, what: str, *, strict: bool) -> Any:
    """Return float64 array of shape (n_rows,) of the values of an object column; each distinct text is read once."""
    values = series.to_numpy(dtype=object)
    numbers = np.full(len(values), np.nan)
    known = ~is_missing(values)
    is_text = np.fromiter(
        (isinstance(value, str) for value in values), dtype=bool, count=len(values)
    )
    others = known & ~is_text
    if others.any():
        found = [_float_of(value) for value in values[others]]
        if strict and None in found:
            raise ValueError(f"{values[others][found.index(None)]!r} is no {what}")
        numbers[others] = [np.nan if f is None else f for f in found]
    texts = known & is_text
    if texts.any():
        codes, distinct = pd.factorize(values[texts])
        found = [read(trimmed(text)) for text in distinct]
        if strict and None in found:
            raise ValueError(f"{distinct[found.index(None)]!r} is no {what}")
        numbers[texts] = np.array([np.nan if f is None else f for f in found], dtype="float64")[
            codes
        ]
    return numbers


def _float_of(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def read_text(series: Any, words: Iterable[str] | None = None, *, are_numbers: bool = False) -> Any:
    """Return a column as object array of str of shape (n_rows,), NaN where missing; without blanks around texts.

    `series` : Series of shape (n_rows,) with any dtype; `words` : texts that mean a missing value, in place of
    `nan`, `null` and the like; `are_numbers` : levels are numbers, so `"4.0"` is `4`.
    """
    values = series.to_numpy(dtype=object)
    gone = is_missing(values)
    missing = MISSING_TEXTS if words is None else frozenset(words)
    result = np.empty(len(values), dtype=object)
    result[:] = [trimmed(v if type(v) is str else text_of(v)) for v in values]
    if are_numbers:
        result[:] = [number_text(t) for t in result]
    gone |= np.fromiter((not t or t in missing for t in result), dtype=bool, count=len(result))
    result[gone] = np.nan
    return result


def read_levels(series: Any, levels: list[Any], words: Iterable[str] | None = None) -> Any:
    """Return the place of each value in `levels`, float64 array of shape (n_rows,), NaN for other values."""
    places = {number_text(text_of(level)): float(place) for place, level in enumerate(levels)}
    texts = read_text(series, words, are_numbers=True)
    return np.array([places.get(t, np.nan) if t == t else np.nan for t in texts])


def read_dates(series: Any, spelling: dict[str, Any] | None, *, strict: bool = True) -> Any:
    """Return a column as DatetimeIndex of shape (n_rows,), wall time without a zone, NaT where missing.

    `series` : Series of shape (n_rows,) with datetime, period or object dtype; `spelling` : how texts are read, and
    the offset in minutes in which the column's wall times are. Raises ValueError with the first text that is no
    date; with `strict=False` it is NaT.
    """
    rule = spelling or {}
    offset = rule.get("offset")
    if isinstance(series.dtype, pd.PeriodDtype):
        return pd.DatetimeIndex(series.dt.to_timestamp())
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        dates = pd.DatetimeIndex(series)
        if dates.tz is None:
            return dates
        utc = dates.tz_convert("UTC").tz_localize(None)
        return utc + pd.Timedelta(minutes=offset or 0)
    words = _own_words(rule)
    values = series.to_numpy(dtype=object)
    result = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[us]")
    known = np.flatnonzero(~is_missing(values))
    codes, distinct = pd.factorize(
        np.array([_date_key(values[row]) for row in known], dtype=object)
    )
    found = np.full(len(distinct), np.datetime64("NaT"), dtype="datetime64[us]")
    for place, value in enumerate(distinct):
        text = trimmed(value)
        if is_missing_word(text, is_text=False, words=words):
            continue
        date = date_of(text, rule)
        if date is not None:
            found[place] = in_offset(date, offset)
        elif strict:
            raise ValueError(f"{value!r} is no date")
    result[known] = found[codes]
    return pd.DatetimeIndex(result)


def _date_key(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else text_of(value)


def read_seconds(
    series: Any, spelling: dict[str, Any] | None = None, *, strict: bool = True
) -> Any:
    """Return durations in seconds as float64 array of shape (n_rows,); numbers count as seconds.

    `series` : Series of shape (n_rows,) with timedelta, numeric or object dtype.
    """
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        return series.dt.total_seconds().to_numpy(dtype="float64")
    if not pd.api.types.is_object_dtype(series.dtype) and pd.api.types.is_numeric_dtype(
        series.dtype
    ):
        return read_numbers(series)
    words = _own_words(spelling or {})

    def read(text: str) -> float | None:
        if is_missing_word(text, is_text=False, words=words):
            return np.nan
        return seconds_of(text)

    values = series.map(
        lambda v: v.total_seconds() if hasattr(v, "total_seconds") and not pd.isna(v) else v
    )
    return _parsed(values.astype(object), read, "duration", strict=strict)


def date_part(dates: Any, part: str) -> Any:
    """Return one of `DATE_PARTS` of a DatetimeIndex as float64 array of shape (n_rows,), NaN where missing."""
    if part == "days":
        # years before 1678 and after 2261 do not fit into nanoseconds
        days = np.asarray(dates.values.astype("datetime64[D]").astype("int64"), dtype="float64")
        days[np.asarray(dates.isna())] = np.nan
        return days
    return np.asarray(getattr(dates, part), dtype="float64")


class InputFrame(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Transforms the user's raw columns into the columns that the engine was trained on.

    `columns` : list of dict, one for each used column: `name` (the user's), `safe` (the engine's), `kind`
    ("number", "boolean", "ordinal", "text", "date", "duration"), `parts` (of a date) and `spelling` (how texts are
    read; see `common/tables/column_reading.py`).

    Other columns and the order are ignored. Stateless: the decisions were made on the training data, so
    that serving does the same.
    """

    def __init__(self, columns: list[dict[str, Any]]) -> None:
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> InputFrame:
        """Return self: nothing is learnt."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: Any) -> Any:
        """Return a DataFrame of shape (n_rows, n_engine_columns) with float64 and object columns.

        `X` : DataFrame of shape (n_rows, n_columns). Raises ValueError with the names of missing columns,
        or of the column with an invalid value.
        """
        if not isinstance(X, pd.DataFrame):
            raise TypeError("rows must be a pandas DataFrame with the columns' names")
        places = {name: place for place, name in enumerate(unique_names(X.columns))}
        absent = [c["name"] for c in self.columns if c["name"] not in places]
        if absent:
            raise ValueError(f"columns are missing: {', '.join(map(repr, absent))}")
        result: dict[str, Any] = {}
        for column in self.columns:
            series = X.iloc[:, places[column["name"]]]
            try:
                self._read(column, series, result)
            except (TypeError, ValueError) as error:
                raise ValueError(f"column {column['name']!r}: {error}") from error
        return pd.DataFrame(result, index=X.index)

    def _read(self, column: dict[str, Any], series: Any, result: dict[str, Any]) -> None:
        kind, safe, spelling = column["kind"], column["safe"], column["spelling"]
        if kind in ("number", "boolean"):
            result[safe] = read_numbers(series, spelling)
        elif kind == "text":
            texts = read_text(
                series, spelling.get("missing_words"), are_numbers=bool(spelling.get("numbers"))
            )
            result[safe] = pd.Series(texts, index=series.index, dtype=object)
        elif kind == "ordinal":
            result[safe] = read_levels(series, spelling["levels"], spelling.get("missing_words"))
        elif kind == "duration":
            result[safe] = read_seconds(series, spelling)
        else:
            dates = read_dates(series, spelling)
            for part in column["parts"]:
                result[f"{safe}_{part}"] = date_part(dates, part)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the engine columns, object array of shape (n_engine_columns,)."""
        names: list[str] = []
        for column in self.columns:
            if column["kind"] == "date":
                names += [f"{column['safe']}_{part}" for part in column["parts"]]
            else:
                names.append(column["safe"])
        return np.asarray(names, dtype=object)


def label_array(labels: list[Any]) -> Any:
    """Return labels as array of shape (n_labels,) with dtype bool, int64, float64 or object."""
    kinds = {type(label) for label in labels}
    plain = {bool: "bool", int: "int64", float: "float64"}
    if len(kinds) == 1 and next(iter(kinds)) in plain:
        return np.array(labels, dtype=plain[next(iter(kinds))])
    result = np.empty(len(labels), dtype=object)
    result[:] = labels
    return result


def _estimator_has(method: str) -> Any:
    def check(self: Any) -> bool:
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return check


def weights_parameter(model: Any) -> str:
    """Return the parameter of `fit` that takes weights: of a pipeline that of its last step."""
    steps = getattr(model, "steps", None)
    return f"{steps[-1][0]}__{weights_parameter(steps[-1][1])}" if steps else "sample_weight"


class LabelledClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier fitted on codes 0 … k - 1 that predicts the user's labels.

    `labels` : list of k labels, in the order of `classes_` and of the columns of probabilities; `threshold` : of two
    labels, the probability from which the second one is answered, None for what the model answers itself.
    The fitted model is `estimator_`.
    """

    def __init__(self, estimator: Any, labels: list[Any], threshold: float | None = None) -> None:
        self.estimator = estimator
        self.labels = labels
        self.threshold = threshold

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LabelledClassifier:
        """Fit on `X` of shape (n_rows, n_columns) and labels `y` of shape (n_rows,), each one of `labels`.

        `sample_weight` : array of shape (n_rows,), for a model that takes weights.
        """
        codes = {label: code for code, label in enumerate(self.labels)}
        self.classes_ = label_array(self.labels)
        self.estimator_ = clone(self.estimator)
        name = weights_parameter(self.estimator_)
        weights = {} if sample_weight is None else {name: sample_weight}
        self.estimator_.fit(X, np.array([codes[label] for label in y], dtype="int64"), **weights)
        return self

    def predict(self, X: Any) -> Any:
        """Return the user's labels, array of shape (n_rows,)."""
        if self.threshold is not None:
            return self.classes_[(self.predict_proba(X)[:, 1] >= self.threshold).astype("int64")]
        # catboost predicts shape (n_rows, 1), some models float codes
        codes = np.ravel(self.estimator_.predict(X)).astype("int64")
        return self.classes_[codes]

    @available_if(_estimator_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, float64 array of shape (n_rows, k) with columns as in `classes_`."""
        given = np.asarray(self.estimator_.predict_proba(X))
        if given.shape[1] == len(self.labels):
            return given
        # a class that the outlier filter removed completely has probability 0
        result = np.zeros((len(given), len(self.labels)))
        result[:, np.asarray(self.estimator_.classes_, dtype="int64")] = given
        return result

    @available_if(_estimator_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """Return `decision_function` of the model, array of shape (n_rows,) or (n_rows, k)."""
        return self.estimator_.decision_function(X)


class NamedClusters(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """A clusterer that predicts names such as `"Cluster 1"`, as PyCaret's `assign_model` does.

    The fitted model is `estimator_`; `labels_` are the names of the training rows.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> NamedClusters:
        """Fit a copy of the clusterer on `X` of shape (n_rows, n_columns)."""
        self.estimator_ = clone(self.estimator).fit(X)
        self.labels_ = cluster_names(self.estimator_.labels_)
        return self

    def predict(self, X: Any) -> Any:
        """Return names of clusters, object array of shape (n_rows,)."""
        return cluster_names(self.estimator_.predict(X))


def cluster_names(labels: Any) -> Any:
    """Return names of int labels, object array of shape (n_rows,): `0, -1` → `"Cluster 0", "Cluster -1"`."""
    result = np.empty(len(labels), dtype=object)
    result[:] = [f"Cluster {int(label)}" for label in labels]
    return result


class Detector(BaseEstimator):  # type: ignore[misc]
    """An anomaly detector of PyOD: `predict` gives 0 or 1, `decision_function` greater scores for anomalies."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> Detector:
        """Fit a copy of the detector on `X` of shape (n_rows, n_columns)."""
        self.estimator_ = clone(self.estimator).fit(np.asarray(X, dtype="float64"))
        return self

    def predict(self, X: Any) -> Any:
        """Return 0 or 1 (anomaly), int64 array of shape (n_rows,)."""
        found = self.estimator_.predict(np.asarray(X, dtype="float64"))
        return np.asarray(found).astype("int64")

    def decision_function(self, X: Any) -> Any:
        """Return anomaly scores, float64 array of shape (n_rows,)."""
        scores = self.estimator_.decision_function(np.asarray(X, dtype="float64"))
        return np.asarray(scores, dtype="float64")


class Forecaster(BaseEstimator):  # type: ignore[misc]
    """A fitted sktime forecaster that predicts one number for each row, a step ahead.

    `others` : fitted transformer of the exogenous columns, None where there are none; `last` : the last
    training step, a Period, or a position where the series has no time; `day` : the day of the month of steps of
    months, -1 for the last one; `offset` : minutes from UTC of the series' wall times, None where it has none;
    `is_business_day` : the days are moved to the next one of Monday to Friday, the last ones to the one before.
    """

    #: of pipelines that were stored before there was the parameter
    is_business_day = False

    def __init__(
        self,
        forecaster: Any,
        others: Any,
        last: Any,
        day: int = 1,
        offset: int | None = None,
        is_business_day: bool = False,
    ) -> None:
        self.forecaster = forecaster
        self.others = others
        self.last = last
        self.day = day
        self.offset = offset
        self.is_business_day = is_business_day

    def predict(self, X: Any) -> Any:
        """Return the next n_rows steps, float64 array of shape (n_rows,).

        `X` : DataFrame of shape (n_rows, n_columns) with the exogenous columns of each step.
        """
        return self.predict_steps(range(1, len(X) + 1), X)

    def predict_steps(self, steps: Any, X: Any) -> Any:
        """Return the forecast of `steps`, float64 array of shape (n_rows,).

        `steps` : the step ahead of each row, int of shape (n_rows,); several forecasts may follow each
        other: `1, 2, 3, 1, 2`. `X` : see `predict`.
        """
        steps = np.asarray(list(steps), dtype="int64")
        if self.others is None:
            ahead = self._forecast(np.arange(1, steps.max() + 1), None)
            return ahead[steps - 1]
        result = np.empty(len(steps))
        known = self.others.transform(X)
        begins = np.flatnonzero(np.diff(steps, prepend=steps[0] + 1) != 1)
        for begin, end in zip(begins, [*begins[1:], len(steps)], strict=True):
            result[begin:end] = self._forecast(steps[begin:end], known.iloc[begin:end])
        return result

    def _forecast(self, steps: Any, known: Any) -> Any:
        if known is not None:
            index = [self.last + int(step) for step in steps]
            period = isinstance(self.last, pd.Period)
            known = known.set_axis(pd.PeriodIndex(index) if period else pd.Index(index), axis=0)
        forecast = self.forecaster.predict(fh=[int(step) for step in steps], X=known)
        return np.ravel(np.asarray(forecast, dtype="float64"))

    def times(self, steps: Any) -> list[Any]:
        """Return the time of each step ahead: ISO 8601, or a position where the series has no time."""
        if not isinstance(self.last, pd.Period):
            return [int(self.last) + int(step) for step in steps]
        starts = [self._business_time(self.last + int(step)) for step in steps]
        within_days = self.last.freq.name.split("-")[0] in ("h", "min", "s", "ms", "us", "ns")
        if not within_days:
            return [time.date().isoformat() for time in starts]
        return [with_offset(time.to_pydatetime(), self.offset) for time in starts]

    def _business_time(self, period: Any) -> Any:
        time = self._time(period)
        if not self.is_business_day:
            return time
        day = pd.offsets.BusinessDay()
        return day.rollback(time) if self.day == -1 else day.rollforward(time)

    def _time(self, period: Any) -> Any:
        start = period.start_time
        if self.day == 1:
            return start
        if self.day == -1 and period.freqstr[0] in "QY":
            return period.end_time.normalize()
        # the step of several months is dated in its first one
        length = start.days_in_month
        return start + pd.Timedelta(days=(length if self.day == -1 else min(self.day, length)) - 1)
