"""The domain, pure: calendar, folds, contributions, tallies, formulas. No I/O, no clock, no framework."""
