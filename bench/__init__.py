"""Benchmarks: what the system does, measured from outside, beside others that do the same."""
