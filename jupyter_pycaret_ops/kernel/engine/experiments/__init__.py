"""PyCaret's experiments, cured: the only room that touches the engine's private parts."""

from __future__ import annotations

from .base import Experiment, default_parameters, set_default_seed
from .forecasting import ForecastExperiment
from .supervised import SupervisedExperiment
from .unsupervised import AnomalyExperiment, ClusteringExperiment, UnsupervisedExperiment

__all__ = [
    "AnomalyExperiment",
    "ClusteringExperiment",
    "Experiment",
    "ForecastExperiment",
    "SupervisedExperiment",
    "UnsupervisedExperiment",
    "default_parameters",
    "set_default_seed",
]
