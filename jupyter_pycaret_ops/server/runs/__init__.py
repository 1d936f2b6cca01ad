"""Submission, dispatch, supervision and cancellation of runs."""
