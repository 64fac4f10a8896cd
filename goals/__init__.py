"""Goals: what is asked of a figure in a period, and what is to be expected of it."""
