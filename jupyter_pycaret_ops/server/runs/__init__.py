"""Runs in motion: submitted, dispatched to kernels, watched, cancelled, settled when a worker is lost."""
