"""What an object says of others: whose it is, whom it names, and what it won for its customer."""

from kpis.customers import Won
from kpis.fold import (
    QUALIFIED,
    known,
    lead_key,
    object_key,
    of_customer,
    rate_key,
    seller_key,
    text,
    won_at,
)
from schemas.rows import ObjectRow


def is_of_customer(row: ObjectRow) -> bool:
    """Whether an object lives with a customer, and is theirs."""
    return row.kind == "deal" or (row.kind == "activity" and "customer" in known(row))


def won_of(deal: ObjectRow) -> Won | None:
    """When a deal was won that counts, and by whom."""
    for share in deal.shares:
        if "deals_won" in share.measures:
            fields = known(deal)
            at = won_at(deal, fields)
            assert at is not None
            return Won(at, deal.id, text(fields, "seller"))
    return None


def references_of(row: ObjectRow, reporting_currency: str) -> list[str]:
    """What an object is joined with: sellers, lead, rate, an activity's deal, a lead's customer."""
    refs: list[str] = []
    fields = known(row)
    currency = text(fields, "currency")
    if currency is not None and currency != reporting_currency:
        refs.append(rate_key(currency))
    seller = text(fields, "seller")
    if seller is not None:
        refs.append(seller_key(seller))
    if row.kind == "lead":
        qualified = row.firsts.get(QUALIFIED)
        if qualified is not None and isinstance(qualified.value, str) and qualified.value != seller:
            refs.append(seller_key(qualified.value))
        customer = text(fields, "customer")
        if customer is not None:
            refs.append(of_customer(customer))
        return refs
    lead = text(fields, "lead")
    if lead is not None:
        refs.append(lead_key(lead))
    deal = text(fields, "deal") if row.kind == "activity" else None
    if deal is not None:
        refs.append(object_key("deal", row.home, deal))
    return refs
