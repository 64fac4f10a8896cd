"""Formulas as trees, made at random within what a formula may have."""

from hypothesis import strategies as st

from kpis.definitions.formula import Named, Negative, Number, Operation, Tree

MEASURED = ["calls", "contacts", "deals_won", "revenue", "cycle_days_sum", "size"]

numbers = st.integers(0, 10**18 - 1) | st.sampled_from([0, 1, 500_000, 1_000_000, 1_250_000, 100_000_000])
leaves: st.SearchStrategy[Tree] = st.sampled_from(MEASURED).map(Named) | numbers.map(Number)


def _grown(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    operators = st.sampled_from(["+", "-", "*", "/"])
    return st.builds(Operation, operators, parts, parts) | st.builds(Negative, parts)


trees: st.SearchStrategy[Tree] = st.recursive(leaves, _grown, max_leaves=18)


def names_of(tree: Tree) -> list[str]:
    match tree:
        case Named(measure):
            return [measure]
        case Number():
            return []
        case Negative(of):
            return names_of(of)
        case Operation(_, left, right):
            return [*names_of(left), *names_of(right)]
