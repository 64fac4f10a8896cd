"""Goals: the language they are set in, working time, and where they stand. Pure; knows no framework."""
