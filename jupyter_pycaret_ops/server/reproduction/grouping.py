"""Code of the leaderboard for tasks without a target: scores of clusters and detectors."""

from __future__ import annotations

_CLUSTERING = """\
from sklearn import metrics

rows = {}
for model_id, result in results.items():
    features, labels = result.pipeline[:-1].transform(data), result.pipeline[-1].labels_
    scores = {"Silhouette": np.nan, "Calinski-Harabasz": np.nan, "Davies-Bouldin": np.nan}
    if 2 <= len(set(labels)) < len(labels):
        # with many rows, of a sample
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
# agreement of each detector with the others: the mean rank correlation of their scores
ranks = scores.fillna(0).rank()
correlations = ranks.loc[:, ranks.std() > 0].corr()
has_others = len(correlations) > 1
agreement = (correlations.sum() - 1) / (len(correlations) - 1) if has_others else correlations.sum() * np.nan
# distance of the scores of flagged rows from the others, in standard deviations
distance = scores.where(flags).mean() - scores.where(~flags).mean()
leaderboard = pd.DataFrame(
    {
        "Agreement": agreement,
        "Separation": distance / scores.std(ddof=0).replace(0, np.nan),
        "Anomalies": flags.sum(),
    }
).loc[list(results)]"""

#: kind of output -> code that computes `leaderboard` from `results`, unsorted
LEADERBOARDS = {"clusters": _CLUSTERING, "flags": _ANOMALY}
