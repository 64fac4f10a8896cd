"""What belongs to a customer: which objects are theirs, and when one of these changes what they count.

Between the rows and the view `kpis.customers`: it tells the view what objects say, as they are folded or
recovered, and notes the customers who are to be counted anew.
"""

from collections.abc import Callable, Iterator

from kpis.batch import Batch
from kpis.customers import Customers, First, first_of
from kpis.fold import customer_key, first_said, identifier_of, object_key, of_customer, stated_at
from kpis.naming import Naming
from kpis.references import is_of_customer, won_of
from schemas.internal import LeadOf
from schemas.rows import LeadOfRow, ObjectRow, Row

Read = Callable[[str], Row | None]


class Belonging:
    """One partition's customers and what is theirs."""

    def __init__(self, naming: Naming, customers: Customers) -> None:
        self._naming = naming
        self._customers = customers

    def relearn(self, read: Read, key: str, old: ObjectRow | None, new: ObjectRow) -> None:
        """Take an object's row that was recovered into the view, in the place of the one it holds."""
        if is_of_customer(new):
            if old is None:
                self._naming.add(of_customer(new.home), key)
            self._hear_first(read, new.home, key, new)
        if new.kind == "customer" and stated_at(new, "churned") is not None:
            self._customers.leave(new.home)
        if new.kind == "deal":
            self._customers.win(new.home, new.id, won_of(new), new=old is None)

    def relearn_lead(self, read: Read, key: str, old: LeadOfRow | None, new: LeadOfRow) -> None:
        """Take what is known of a customer's lead into the view, in the place of what it holds."""
        customer = identifier_of(key)
        if old is None:
            self._naming.add(of_customer(customer), key)
        self._replace_lead(read, customer, key, old is not None and old.organisation, new)

    def follow(self, batch: Batch, key: str, row: ObjectRow) -> None:
        """An object was folded: note whose it is, and touch them where it changes what they count."""
        if is_of_customer(row):
            if key in batch.created:
                self._naming.add(of_customer(row.home), key)
            if self._hear_first(batch.read, row.home, key, row) or key in batch.known_already:
                self._touch(batch, row.home, key)

    def hear_of(self, batch: Batch, link: LeadOf, *, void: bool) -> None:
        """Where a customer lives: what the home of a lead says that is theirs, or was.

        The customer is counted anew and said in any case: what is void by now may have been heard in time,
        before a crash that came before anybody was told.
        """
        batch.customers[link.customer] = None
        batch.known_already.add(customer_key(link.customer))
        if void:
            return
        key = object_key("leadof", link.customer, link.lead)
        known = batch.row(key, LeadOfRow)
        if known is None:
            self._naming.add(of_customer(link.customer), key)
        had = known is not None and known.organisation
        row = batch.row_or(key, LeadOfRow, lambda: LeadOfRow(-1, None, False))
        if link.version >= row.told:
            row.told, row.first, row.organisation = link.version, link.first, link.organisation
            self._replace_lead(batch.read, link.customer, key, had, row)
        batch.changed[key] = row

    def count_won(self, batch: Batch, key: str, deal: ObjectRow) -> None:
        """Note whether a deal is won, and touch its customer where that changes what they count."""
        changes = self._customers.win(deal.home, deal.id, won_of(deal), new=key in batch.created)
        if changes or key in batch.known_already:
            self._touch(batch, deal.home, key)

    def _replace_lead(self, read: Read, customer: str, key: str, had: bool, row: LeadOfRow) -> None:
        first = None if row.first is None else first_of(key, row.first)
        self._customers.hear(customer, key, first, lambda: self._others(read, customer, key))
        self._customers.number(customer, int(row.organisation) - int(had))

    def _hear_first(self, read: Read, customer: str, key: str, row: ObjectRow) -> bool:
        """Note an object's earliest event as its customer's; whether that changes what they count."""
        if self._customers.is_earlier(customer, key, row.first):
            return False
        first = None if row.deleted else first_of(key, first_said(row))
        return self._customers.hear(customer, key, first, lambda: self._others(read, customer, key))

    def _others(self, read: Read, customer: str, without: str) -> Iterator[First]:
        """The earliest events of a customer's other objects."""
        for key in self._naming.of(of_customer(customer)):
            row = None if key == without else read(key)
            if isinstance(row, LeadOfRow):
                if row.first is not None:
                    yield first_of(key, row.first)
            elif isinstance(row, ObjectRow) and is_of_customer(row) and not row.deleted:
                # A lead may live here too; whether it is theirs, only its home's word says.
                yield first_of(key, first_said(row))

    def _touch(self, batch: Batch, customer: str, because_of: str) -> None:
        batch.customers[customer] = None
        if because_of in batch.known_already:
            batch.known_already.add(customer_key(customer))
