"""Adapters of PyCaret's experiments: the only modules that use the engine's private attributes."""

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
