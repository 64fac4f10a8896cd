"""Who is told of which alert, when, and in what words: rules, hours, stories and texts. Pure."""
