"""The ledger of one partition: folds what comes in, and says what to store and whom to tell.

Everything it says is absolute: rows, partials and links replace what was said before under a lower
version, so receiving any of them twice, or late, is harmless. It does no I/O: it reads rows, and says
which to write; the order in which its effects are carried out is the agent's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from kpis.batch import Batch
from kpis.belonging import Belonging
from kpis.calendar import micros_of
from kpis.contributions import Business, Joins, priced_at, shares_of
from kpis.customers import Customers
from kpis.fold import (
    NEVER,
    customer_key,
    fold,
    fold_rate,
    fold_seller,
    identifier_of,
    identify,
    known,
    new_object,
    object_key,
    rate_at,
    rate_key,
    seller_key,
    team_at,
    text,
)
from kpis.in_force import Defined, Recounted, define, note_recounted, ready, to_recount
from kpis.leads import TERMS, Leads
from kpis.naming import Naming, NamingInMemory
from kpis.own import OwnMeasures, own_measures, own_shares
from kpis.references import references_of
from kpis.tally import Tally
from kpis.versions import AS_OF, first_version
from schemas.definitions import Plain
from schemas.events import Event, RateSet, SellerAssigned, SellerLeft, Told
from schemas.internal import Cell, LeadNamed, LeadOf, LeadOrigin, Link, Partial, Ready, TermBegun
from schemas.rows import DefinedRow, LeadOfRow, ObjectRow, OriginRow, RateRow, Row, SellerRow, Share

DEFINED = "defined"
"""The key of the row of definitions."""

AMOUNTS_A_PARTIAL = 4_000
"""After how many amounts a scope's days go on in another partial: 400 kB, if all names are as long as they
may be. A cost may be of ten years, and all that a company counts on these days is more than a broker takes
in one record."""

_CUSTOMER = "customer:"
"""How the keys of customers' rows begin."""


class Effects(NamedTuple):
    """What a batch leads to, all of it absolute, and all of it of one version."""

    version: int
    rows: dict[str, Row]
    partials: list[Partial]
    links: list[Link]
    ready: list[Ready]


Input = Event | Told | Link | Defined | Recounted


class Ledger:
    """One partition's objects: reads their rows, and keeps the views over them.

    The views are `tally`, `naming`, `customers` and `clock`, which holds the latest event time. Whoever
    keeps them elsewhere than in this process's memory gives them; they are empty, or as the rows make them.
    """

    def __init__(
        self,
        partition: int,
        business: Business,
        rows: Mapping[str, Row],
        term: int = 1,
        *,
        tally: Tally | None = None,
        naming: Naming | None = None,
        customers: Customers | None = None,
        clock: MutableMapping[str, int] | None = None,
    ) -> None:
        self._partition = partition
        self._business = business
        self._rows = rows
        self._version = first_version(term)
        self._tally = Tally() if tally is None else tally
        self._naming: Naming = NamingInMemory() if naming is None else naming
        self._customers = Customers() if customers is None else customers
        self._clock: MutableMapping[str, int] = {} if clock is None else clock
        self._as_of = self._clock.get(AS_OF, 0)
        self._leads = Leads(partition, self._naming)
        self._belonging = Belonging(self._naming, self._customers)
        self._own: OwnMeasures | None = None
        """Compiled from the row of definitions, when it is first needed."""
        self._batch = Batch(rows, self._version)
        self._joins = Joins(self._team_at, self._first_contact, self._rate_at, self._customers.of)
        self._handlers: dict[type[Input], Callable[[Batch, Any], None]] = {
            LeadNamed: self._leads.hear_named,
            LeadOrigin: self._leads.hear_origin,
            LeadOf: self._hear_of,
            TermBegun: self._leads.hear_term,
            SellerAssigned: self._fold_seller,
            SellerLeft: self._fold_seller,
            RateSet: self._fold_rate,
            Told: self._fold_told,
            Defined: self._define,
            Recounted: self._note_recounted,
        }

    def begin_term(self, term: int) -> None:
        """Speak under a new term from now on, if it is above the one in use."""
        version = first_version(term)
        if version > self._version:
            self._version = version
            self._leads.begin_term()

    def learn(self, key: str, row: Row) -> None:
        """Take a row that was recovered into the views."""
        self.relearn(key, None, row)

    def relearn(self, key: str, old: Row | None, new: Row) -> None:
        """Take a row that was recovered into the views, in the place of the one they hold."""
        if isinstance(new, DefinedRow):
            self._own = None
        if isinstance(new, LeadOfRow):
            known_lead = old if isinstance(old, LeadOfRow) else None
            self._belonging.relearn_lead(self._rows.get, key, known_lead, new)
        if not isinstance(new, ObjectRow):
            return
        known_row = old if isinstance(old, ObjectRow) else None
        if known_row is not None:
            for share in known_row.shares:
                self._tally.remove(share)
        self._see(max((telling.time for telling in new.told), default=0))
        if new.first != NEVER:
            self._see(new.first)
        named = [] if known_row is None else known_row.refs
        for ref in new.refs:
            if ref not in named:
                self._naming.add(ref, key)
        for share in new.shares:
            self._tally.add(share)
        self._belonging.relearn(self._rows.get, key, known_row, new)

    def apply(self, inputs: Iterable[Input]) -> Effects:
        """Fold a batch, in any order, and say what follows.

        What an input changes is said, and what it touches is said again where it was known already:
        then it may be a replay after a crash, which cannot know what was heard.
        """
        self._version += 1
        batch = self._batch = Batch(self._rows, self._version)
        handlers = self._handlers
        for item in inputs:
            handlers.get(type(item), self._fold_object)(batch, item)
        self._follow_rates(batch)
        self._follow_references(batch)
        for key in batch.touched:
            if key.startswith(_CUSTOMER):
                batch.customers[identifier_of(key)] = None
            else:
                self._count(batch, key)
        # What a customer counts follows from their objects.
        for customer in batch.customers:
            self._count_customer(batch, customer)
        if TERMS in batch.changed:
            # Last, so that nothing can be known to be void before what came before it is safe.
            batch.changed[TERMS] = batch.changed.pop(TERMS)
        links = self._leads.links(batch)
        return Effects(self._version, batch.changed, self._partials(batch), links, self._ready(batch))

    @property
    def own_fields(self) -> Mapping[str, tuple[str, ...]]:
        """By event type: the fields that the contract does not know and that definitions read."""
        return self._own_measures().fields

    def to_recount(self) -> list[Recounted]:
        """The definitions under which not all of this partition's history is counted yet."""
        row = self._rows.get(DEFINED)
        assert row is None or isinstance(row, DefinedRow)
        return [] if row is None else to_recount(row)

    def say_ready(self) -> list[Ready]:
        """What is counted under every definition, for whoever did not hear it from an earlier owner."""
        batch = Batch(self._rows, self._version)
        row = batch.row(DEFINED, DefinedRow)
        if row is not None:
            batch.defined.update(dict.fromkeys([*row.versions, *row.removed]))
        return self._ready(batch)

    def _fold_told(self, batch: Batch, told: Told) -> None:
        self._fold_object(batch, told.event, told.own)

    def _fold_object(self, batch: Batch, event: Event, own: Mapping[str, Plain] | None = None) -> None:
        time = micros_of(event.time)
        if time > self._as_of:
            self._see(time)
        kind, home, identifier = identify(event)
        key = object_key(kind, home, identifier)
        row = batch.object(key)
        if row is None:
            row = new_object(kind, home, identifier)
            batch.begin(key, row)
            batch.created.add(key)
        if fold(row, event, time, own):
            batch.changed[key] = row
        else:
            batch.known_already.add(key)
        if kind == "customer":
            self._customers.leave(home)
        batch.folded[key] = row
        batch.touched[key] = None

    def _fold_seller(self, batch: Batch, event: SellerAssigned | SellerLeft) -> None:
        key = seller_key(event.data.seller)
        row = batch.row_or(key, SellerRow, lambda: SellerRow([], {}))
        fold_seller(row, event)
        batch.changed[key] = row
        time = micros_of(event.time)
        self._see(time)
        since = self._business.calendar.day(time)
        batch.touch(key for key in self._naming.of(key) if self._counts_since(batch, key, since))

    def _fold_rate(self, batch: Batch, event: RateSet) -> None:
        key = rate_key(event.data.currency)
        row = batch.row_or(key, RateRow, lambda: RateRow([]))
        fold_rate(row, event)
        batch.changed[key] = row
        time = micros_of(event.time)
        self._see(time)
        since = batch.rates.get(key, time)
        batch.rates[key] = min(since, time)

    def _define(self, batch: Batch, said: Defined) -> None:
        row = self._defined_row(batch)
        define(row, said)
        self._own = own_measures(row)
        self._note_defined(batch, row, said.key)

    def _note_recounted(self, batch: Batch, said: Recounted) -> None:
        row = self._defined_row(batch)
        if note_recounted(row, said):
            self._note_defined(batch, row, said.key)

    def _note_defined(self, batch: Batch, row: DefinedRow, key: str) -> None:
        batch.changed[DEFINED] = row
        batch.defined[key] = None

    def _defined_row(self, batch: Batch) -> DefinedRow:
        return batch.row_or(DEFINED, DefinedRow, lambda: DefinedRow({}, {}, {}))

    def _own_measures(self) -> OwnMeasures:
        if self._own is None:
            row = self._rows.get(DEFINED)
            assert row is None or isinstance(row, DefinedRow)
            self._own = own_measures(row)
        return self._own

    def _shares_of(self, row: ObjectRow) -> list[Share]:
        own = self._own
        measures = (self._own_measures() if own is None else own).by_kind.get(row.kind)
        if measures is None:
            return shares_of(row, self._business, self._joins)
        return shares_of(
            row,
            self._business,
            self._joins,
            lambda row: own_shares(row, measures, self._business, self._joins),
        )

    def _ready(self, batch: Batch) -> list[Ready]:
        """What to say of the definitions that were touched."""
        row = self._defined_row(batch) if batch.defined else None
        return [] if row is None else ready(row, batch.defined, self._partition, self._version)

    def _hear_of(self, batch: Batch, link: LeadOf) -> None:
        void = self._leads.is_void(batch, link.source, link.version)
        self._belonging.hear_of(batch, link, void=void)

    def _see(self, time: int) -> None:
        """An event of this time is known."""
        if time > self._as_of:
            self._as_of = self._clock[AS_OF] = time

    def _counts_since(self, batch: Batch, key: str, day: int) -> bool:
        row = batch.object(key)
        return row is not None and any(share.day >= day for share in row.shares)

    def _follow_rates(self, batch: Batch) -> None:
        """Touch what a rate that was set may change: amounts of its time or later, that wait or not."""
        for rate, time in batch.rates.items():
            batch.touch(key for key in self._naming.of(rate) if self._is_priced_since(batch, key, time))

    def _is_priced_since(self, batch: Batch, key: str, time: int) -> bool:
        row = batch.object(key)
        return row is not None and any(at >= time for at in priced_at(row, self._business.calendar))

    def _follow_references(self, batch: Batch) -> None:
        """Note whom the folded objects name, and touch the deals that the folded activities name."""
        for key, row in batch.folded.items():
            refs = row.refs
            self._belonging.follow(batch, key, row)
            for ref in references_of(row, self._business.currency):
                if ref not in refs:
                    refs.append(ref)
                    self._naming.add(ref, key)
                    batch.changed[key] = row
            if row.kind == "lead":
                batch.leads_here.add(row.id)
                continue
            for ref in refs:
                if ref.startswith("lead:"):
                    if key not in batch.created or not self._leads.is_said(ref, row):
                        batch.leads_named.add(ref)
                elif ref.startswith("deal:"):
                    batch.touch([ref])

    def _count_customer(self, batch: Batch, customer: str) -> None:
        key = customer_key(customer)
        row = batch.object(key)
        if row is None:
            row = new_object("customer", customer, customer)
            if not self._shares_of(row):
                return
            batch.begin(key, row)
        self._count(batch, key)
        for share in row.shares:
            ref = None if share.seller is None else seller_key(share.seller)
            if ref is not None and ref not in row.refs:
                row.refs.append(ref)
                self._naming.add(ref, key)
                batch.changed[key] = row

    def _count(self, batch: Batch, key: str) -> None:
        """Replace what an object contributed by what it contributes now."""
        row = batch.object(key)
        if row is None:
            return
        tally = self._tally
        before = row.shares
        shares = self._shares_of(row)
        if shares != before:
            for share in before:
                tally.remove(share)
            for share in shares:
                tally.add(share)
            row.shares = shares
            batch.changed[key] = row
        if row.kind == "deal":
            self._belonging.count_won(batch, key, row)
        if shares == before and key not in batch.known_already:
            return
        for share in shares:
            batch.cells.update(tally.touched_by(share))

    def _partials(self, batch: Batch) -> list[Partial]:
        by_scope: dict[str, list[Cell]] = {}
        measures = self._tally.measures
        for cell in batch.cells:
            by_scope.setdefault(cell[0], []).append(Cell(cell[1], measures(cell)))
        return [
            Partial(scope, self._partition, self._version, self._as_of, part)
            for scope, cells in by_scope.items()
            for part in _parts(cells)
        ]

    def _team_at(self, seller: str, micros: int) -> str | None:
        return team_at(self._batch.row(seller_key(seller), SellerRow), micros)

    def _rate_at(self, currency: str, micros: int) -> str | None:
        return rate_at(self._batch.row(rate_key(currency), RateRow), micros)

    def _first_contact(self, deal: ObjectRow) -> int:
        first = deal.first
        lead = text(known(deal), "lead")
        if lead is not None:
            origin = self._batch.row(f"origin:{lead}", OriginRow)
            if origin is not None and origin.first is not None:
                first = min(first, origin.first)
        for key in self._naming.of(object_key("deal", deal.home, deal.id)):
            row = self._batch.object(key)
            if row is not None and not row.deleted and known(row).get("deal") == deal.id:
                first = min(first, row.first)
        return first


def _parts(cells: list[Cell]) -> Iterator[list[Cell]]:
    """Cells as partials tell them, each of which a broker takes."""
    part: list[Cell] = []
    amounts = 0
    for cell in cells:
        part.append(cell)
        amounts += len(cell.measures)
        if amounts >= AMOUNTS_A_PARTIAL:
            yield part
            part, amounts = [], 0
    if part:
        yield part
