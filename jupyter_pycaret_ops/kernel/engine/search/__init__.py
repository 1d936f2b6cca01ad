"""Search models, settings and ensembles within a time limit: a portfolio of good defaults first, then Optuna."""
