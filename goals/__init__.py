"""Goals: their language, working time, where they stand and what to expect of them. Pure."""
