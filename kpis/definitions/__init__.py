"""Own measures and KPIs: the language in which an organisation defines them, checked and compiled.

Within `kpis/`, and no package beside it, since the two lean on each other: a definition is made of the
domain's measures, and the domain's own formulas can be written in this language (`builtin.toml`).
"""
