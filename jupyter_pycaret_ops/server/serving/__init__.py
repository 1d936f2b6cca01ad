"""Deployments that answer: rows checked, batched, predicted in the serving kernel, counted."""
