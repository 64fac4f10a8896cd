"""Made-up sales floors that behave like real ones, for the demo, the benchmarks and the tests."""
