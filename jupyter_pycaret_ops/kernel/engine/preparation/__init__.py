"""Preparation: what happens between the columns as they are read and a model, fitted anew inside each fold.

`recipe.py` decides by column type, `column_transformer.py` builds scikit-learn's transformers of it for a family of
models, `transformers.py` has the few that scikit-learn lacks. Source of the rules: scikit-learn's user guide,
"Preprocessing data" and "Column Transformer with mixed types"; target encoding after Micci-Barreca (2001).
"""

from __future__ import annotations

from .recipe import make_recipe
from .wrapping import Preparation

__all__ = ["Preparation", "make_recipe"]
