"""Benchmarks: ratios of two measurements in one run. They are not tests."""
