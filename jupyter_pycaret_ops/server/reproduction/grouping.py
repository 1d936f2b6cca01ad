"""Boards of tasks without a target: what says how good clusters and detectors are, in scikit-learn and pandas."""

from __future__ import annotations

_CLUSTERING = """\
from sklearn import metrics

rows = {}
for model_id, result in results.items():
    features, labels = result.pipeline[:-1].transform(data), result.pipeline[-1].labels_
    scores = {"Silhouette": np.nan, "Calinski-Harabasz": np.nan, "Davies-Bouldin": np.nan}
    if 2 <= len(set(labels)) < len(labels):
        # of many rows a sample is compared
        sample = 5_000 if len(labels) > 5_000 else None
        scores["Silhouette"] = metrics.silhouette_score(
            features, labels, sample_size=sample, random_state=SEED
        )
        scores["Calinski-Harabasz"] = metrics.calinski_harabasz_score(features, labels)
        scores["Davies-Bouldin"] = metrics.davies_bouldin_score(features, labels)
    rows[model_id] = {**scores, "Clusters": len(set(labels[labels >= 0]))}
leaderboard = pd.DataFrame(rows).T"""
_ANOMALY = """\
scores = pd.DataFrame({i: result.pipeline[-1].decision_scores_ for i, result in results.items()})
flags = pd.DataFrame({i: result.pipeline[-1].labels_ == 1 for i, result in results.items()})
# how far each detector agrees with the others: the mean rank correlation of their scores
ranks = scores.fillna(0).rank()
together = ranks.loc[:, ranks.std() > 0].corr()
alone = len(together) < 2
agreement = together.sum() * np.nan if alone else (together.sum() - 1) / (len(together) - 1)
# how far what is flagged stands out, in standard deviations
apart = scores.where(flags).mean() - scores.where(~flags).mean()
leaderboard = pd.DataFrame(
    {
        "Agreement": agreement,
        "Separation": apart / scores.std(ddof=0).replace(0, np.nan),
        "Anomalies": flags.sum(),
    }
).loc[list(results)]"""

#: what a pipeline answers → code that makes `leaderboard` of `results`, unsorted
BOARDS = {"clusters": _CLUSTERING, "flags": _ANOMALY}
