"""The ledger of one partition: folds what comes in, and says what to store and whom to tell.

Everything it says is absolute: rows, partials and links replace what was said before under a lower
version, so receiving any of them twice, or late, is harmless. It does no I/O: it reads rows, and says
which to write; the order in which its effects are carried out is the agent's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeVar

from kpis.calendar import micros_of
from kpis.contributions import Business, Joins, shares_of
from kpis.customers import Customers, First, Won, first_of
from kpis.fold import (
    NEVER,
    QUALIFIED,
    customer_key,
    first_said,
    fold,
    fold_rate,
    fold_seller,
    identifier_of,
    identify,
    known,
    lead_key,
    new_object,
    object_key,
    of_customer,
    rate_at,
    rate_key,
    seller_key,
    stated_at,
    team_at,
    text,
    won_at,
)
from kpis.in_force import Defined, Recounted, define, note_recounted, ready, to_recount
from kpis.naming import Naming, NamingInMemory
from kpis.own import OwnMeasures, own_measures, own_shares
from kpis.tally import CellKey, Tally
from kpis.versions import AS_OF, first_version
from schemas.definitions import Plain
from schemas.events import Event, RateSet, SellerAssigned, SellerLeft, Told
from schemas.internal import Cell, LeadNamed, LeadOf, LeadOrigin, Link, Partial, Ready, TermBegun
from schemas.rows import (
    DefinedRow,
    LeadOfRow,
    Mention,
    MentionsRow,
    ObjectRow,
    OriginRow,
    RateRow,
    Row,
    SellerRow,
    Share,
)

SAID_KEPT = 100_000
"""Of how many leads a ledger remembers what it said."""

DEFINED = "defined"
"""The key of the row of definitions."""

TERMS = "terms"
"""The key of the row that holds, by partition, from which version on what it says of leads holds."""

_NOTHING = object()
_CUSTOMER = "customer:"
"""How the keys of customers' rows begin."""
_OF = of_customer("")
"""How that begins under which an object names its customer."""

RowType = TypeVar("RowType", SellerRow, MentionsRow, OriginRow, RateRow, LeadOfRow, DefinedRow)


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
        self._said: dict[object, object] = {}
        """What was last said of leads in this term, to save saying it again; forgotten in a crash."""
        self._own: OwnMeasures | None = None
        """Compiled from the row of definitions, when it is first needed."""
        self._batch = _Batch()
        self._joins = Joins(self._team_at, self._first_contact, self._rate_at, self._customers.of)
        self._handlers: dict[type[Input], Callable[[Any], None]] = {
            LeadNamed: self._hear_named,
            LeadOrigin: self._hear_origin,
            LeadOf: self._hear_of,
            TermBegun: self._hear_term,
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
            # Between two terms another owner may have said something else.
            self._said.clear()

    def learn(self, key: str, row: Row) -> None:
        """Take a row that was recovered into the views."""
        self.relearn(key, None, row)

    def relearn(self, key: str, old: Row | None, new: Row) -> None:
        """Take a row that was recovered into the views, in the place of the one they hold."""
        if isinstance(new, DefinedRow):
            self._own = None
        if isinstance(new, LeadOfRow):
            self._relearn_lead_of(key, old if isinstance(old, LeadOfRow) else None, new)
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
        self._relearn_of_customer(key, known_row, new)

    def _relearn_of_customer(self, key: str, old: ObjectRow | None, new: ObjectRow) -> None:
        if _is_of_customer(new):
            if old is None:
                self._naming.add(of_customer(new.home), key)
            self._hear_first(new.home, key, new)
        if new.kind == "customer" and stated_at(new, "churned") is not None:
            self._customers.leave(new.home)
        if new.kind == "deal":
            self._customers.win(new.home, new.id, _won(new), new=old is None)

    def _relearn_lead_of(self, key: str, old: LeadOfRow | None, new: LeadOfRow) -> None:
        customer = identifier_of(key)
        if old is None:
            self._naming.add(of_customer(customer), key)
        self._replace_lead(customer, key, old is not None and old.organisation, new)

    def apply(self, inputs: Iterable[Input]) -> Effects:
        """Fold a batch, in any order, and say what follows.

        What an input changes is said, and what it touches is said again where it was known already:
        then it may be a replay after a crash, which cannot know what was heard.
        """
        self._version += 1
        batch = self._batch = _Batch()
        handlers = self._handlers
        for item in inputs:
            handlers.get(type(item), self._fold_object)(item)
        self._follow_rates()
        self._follow_references()
        for key in batch.touched:
            if key.startswith(_CUSTOMER):
                batch.customers[identifier_of(key)] = None
            else:
                self._count(key)
        # What a customer counts follows from their objects.
        for customer in batch.customers:
            self._count_customer(customer)
        if TERMS in batch.changed:
            # Last, so that nothing can be known to be void before what came before it is safe.
            batch.changed[TERMS] = batch.changed.pop(TERMS)
        return Effects(self._version, batch.changed, self._partials(), self._links(), self._ready())

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
        self._batch = _Batch()
        row = self._row(DEFINED, DefinedRow)
        if row is not None:
            self._batch.defined.update(dict.fromkeys([*row.versions, *row.removed]))
        return self._ready()

    def _fold_told(self, told: Told) -> None:
        self._fold_object(told.event, told.own)

    def _fold_object(self, event: Event, own: Mapping[str, Plain] | None = None) -> None:
        batch = self._batch
        time = micros_of(event.time)
        if time > self._as_of:
            self._see(time)
        kind, home, identifier = identify(event)
        key = object_key(kind, home, identifier)
        row = self._object(key)
        if row is None:
            row = batch.read[key] = new_object(kind, home, identifier)
            batch.created.add(key)
        if fold(row, event, time, own):
            batch.changed[key] = row
        else:
            batch.known_already.add(key)
        if kind == "customer":
            self._customers.leave(home)
        batch.folded[key] = row
        batch.touched[key] = None

    def _fold_seller(self, event: SellerAssigned | SellerLeft) -> None:
        key = seller_key(event.data.seller)
        row = self._row(key, SellerRow)
        if row is None:
            row = self._batch.read[key] = SellerRow([], {})
        fold_seller(row, event)
        self._batch.changed[key] = row
        time = micros_of(event.time)
        self._see(time)
        since = self._business.calendar.day(time)
        self._touch(key for key in self._naming.of(key) if self._counts_since(key, since))

    def _fold_rate(self, event: RateSet) -> None:
        key = rate_key(event.data.currency)
        row = self._row(key, RateRow)
        if row is None:
            row = self._batch.read[key] = RateRow([])
        fold_rate(row, event)
        self._batch.changed[key] = row
        time = micros_of(event.time)
        self._see(time)
        since = self._batch.rates.get(key, time)
        self._batch.rates[key] = min(since, time)

    def _define(self, said: Defined) -> None:
        row = self._defined_row()
        define(row, said)
        self._own = own_measures(row)
        self._note_defined(row, said.key)

    def _note_recounted(self, said: Recounted) -> None:
        row = self._defined_row()
        if note_recounted(row, said):
            self._note_defined(row, said.key)

    def _note_defined(self, row: DefinedRow, key: str) -> None:
        self._batch.changed[DEFINED] = row
        self._batch.defined[key] = None

    def _defined_row(self) -> DefinedRow:
        row = self._row(DEFINED, DefinedRow)
        if row is None:
            row = self._batch.read[DEFINED] = DefinedRow({}, {}, {})
        return row

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

    def _ready(self) -> list[Ready]:
        """What to say of the definitions that were touched."""
        row = self._defined_row() if self._batch.defined else None
        return [] if row is None else ready(row, self._batch.defined, self._partition, self._version)

    def _hear_named(self, link: LeadNamed) -> None:
        """At the lead's home: a partition says whether it names the lead."""
        self._batch.leads_here.add(link.lead)
        if self._is_void(link.source, link.version):
            return
        key = f"mentions:{link.lead}"
        row = self._row(key, MentionsRow)
        if row is None:
            row = self._batch.read[key] = MentionsRow({})
        known = row.by_partition.get(link.source)
        if known is None or link.version >= known.version:
            row.by_partition[link.source] = Mention(link.version, link.named, link.since)
        self._batch.changed[key] = row

    def _hear_of(self, link: LeadOf) -> None:
        """Where a customer lives: what the home of a lead says that is theirs, or was.

        The customer is counted anew and said in any case: what is void by now may have been heard in time,
        before a crash that came before anybody was told.
        """
        self._batch.customers[link.customer] = None
        self._batch.known_already.add(customer_key(link.customer))
        if self._is_void(link.source, link.version):
            return
        key = object_key("leadof", link.customer, link.lead)
        row = self._row(key, LeadOfRow)
        had = row is not None and row.organisation
        if row is None:
            row = self._batch.read[key] = LeadOfRow(-1, None, False)
            self._naming.add(of_customer(link.customer), key)
        if link.version >= row.told:
            row.told, row.first, row.organisation = link.version, link.first, link.organisation
            self._replace_lead(link.customer, key, had, row)
        self._batch.changed[key] = row

    def _replace_lead(self, customer: str, key: str, had: bool, row: LeadOfRow) -> None:
        first = None if row.first is None else first_of(key, row.first)
        self._customers.hear(customer, key, first, lambda: self._others(customer, key))
        self._customers.number(customer, int(row.organisation) - int(had))

    def _is_void(self, source: int, version: int) -> bool:
        """Whether a partition's owner said it whose time was over."""
        begun = self._terms().by_partition.get(source)
        return begun is not None and version < begun.version

    def _hear_term(self, link: TermBegun) -> None:
        """A partition has a new owner: what its earlier ones say of leads from now on is void."""
        row = self._terms()
        begun = row.by_partition.get(link.source)
        if begun is None or link.version > begun.version:
            # A lower one is of an owner who was paused while it announced itself.
            row.by_partition[link.source] = Mention(link.version, False, None)
            self._batch.changed[TERMS] = row

    def _terms(self) -> MentionsRow:
        row = self._row(TERMS, MentionsRow)
        if row is None:
            row = self._batch.read[TERMS] = MentionsRow({})
        return row

    def _hear_origin(self, link: LeadOrigin) -> None:
        """Where a lead is named: its home says when it was first heard of."""
        key = f"origin:{link.lead}"
        row = self._row(key, OriginRow)
        if row is None:
            row = self._batch.read[key] = OriginRow(-1, None)
        if link.version >= row.told:
            row.told, row.first = link.version, link.first
        self._batch.changed[key] = row
        self._touch(self._naming.of(lead_key(link.lead)))

    def _see(self, time: int) -> None:
        """An event of this time is known."""
        if time > self._as_of:
            self._as_of = self._clock[AS_OF] = time

    def _counts_since(self, key: str, day: int) -> bool:
        row = self._object(key)
        return row is not None and any(share.day >= day for share in row.shares)

    def _touch(self, keys: Iterable[str]) -> None:
        """Count objects anew because of what they are joined with, and say again what they contribute."""
        for key in keys:
            self._batch.touched[key] = None
            self._batch.known_already.add(key)

    def _follow_rates(self) -> None:
        """Touch what a rate that was set may change: what was decided since, and what waits."""
        for rate, time in self._batch.rates.items():
            since = self._business.calendar.day(time)
            self._touch(
                key for key in self._naming.of(rate) if self._waits(key) or self._counts_since(key, since)
            )

    def _waits(self, key: str) -> bool:
        row = self._object(key)
        return row is not None and not any(share.measures for share in row.shares)

    def _follow_references(self) -> None:
        """Note whom the folded objects name, and touch the deals that the folded activities name."""
        batch = self._batch
        for key, row in batch.folded.items():
            refs = row.refs
            if _is_of_customer(row):
                if key in batch.created:
                    self._naming.add(of_customer(row.home), key)
                if self._hear_first(row.home, key, row) or key in batch.known_already:
                    self._touch_customer(row.home, key)
            for ref in _references(row, self._business.currency):
                if ref not in refs:
                    refs.append(ref)
                    self._naming.add(ref, key)
                    batch.changed[key] = row
            if row.kind == "lead":
                batch.leads_here.add(row.id)
                continue
            for ref in refs:
                if ref.startswith("lead:"):
                    batch.leads_named.add(ref)
                elif ref.startswith("deal:"):
                    self._touch([ref])

    def _hear_first(self, customer: str, key: str, row: ObjectRow) -> bool:
        """Note an object's earliest event as its customer's; whether that changes what they count."""
        if self._customers.is_earlier(customer, key, row.first):
            return False
        first = None if row.deleted else first_of(key, first_said(row))
        return self._customers.hear(customer, key, first, lambda: self._others(customer, key))

    def _others(self, customer: str, without: str) -> Iterator[First]:
        """The earliest events of a customer's other objects."""
        for key in self._naming.of(of_customer(customer)):
            row = None if key == without else self._read(key)
            if isinstance(row, LeadOfRow):
                if row.first is not None:
                    yield first_of(key, row.first)
            elif isinstance(row, ObjectRow) and _is_of_customer(row) and not row.deleted:
                # A lead may live here too; whether it is theirs, only its home's word says.
                yield first_of(key, first_said(row))

    def _touch_customer(self, customer: str, because_of: str) -> None:
        self._batch.customers[customer] = None
        if because_of in self._batch.known_already:
            self._batch.known_already.add(customer_key(customer))

    def _count_customer(self, customer: str) -> None:
        key = customer_key(customer)
        row = self._object(key)
        if row is None:
            row = new_object("customer", customer, customer)
            if not self._shares_of(row):
                return
            self._batch.read[key] = row
        self._count(key)
        for share in row.shares:
            ref = None if share.seller is None else seller_key(share.seller)
            if ref is not None and ref not in row.refs:
                row.refs.append(ref)
                self._naming.add(ref, key)
                self._batch.changed[key] = row

    def _count(self, key: str) -> None:
        """Replace what an object contributed by what it contributes now."""
        batch = self._batch
        row = self._object(key)
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
            self._count_won(key, row)
        if shares == before and key not in batch.known_already:
            return
        for share in shares:
            batch.cells.update(tally.touched_by(share))

    def _count_won(self, key: str, deal: ObjectRow) -> None:
        """Note whether a deal is won, and touch its customer where that changes what they count."""
        batch = self._batch
        changes = self._customers.win(deal.home, deal.id, _won(deal), new=key in batch.created)
        if changes or key in batch.known_already:
            self._touch_customer(deal.home, key)

    def _links(self) -> list[Link]:
        links: list[Link] = []
        said = self._said
        if len(said) > SAID_KEPT:
            said.clear()
        for ref in self._batch.leads_named:
            lead = identifier_of(ref)
            mention = self._mention(ref, lead)
            if said.get(lead) != mention:
                said[lead] = mention
                links.append(LeadNamed(lead, self._partition, self._version, *mention))
        for lead in self._batch.leads_here:
            for origin in self._origins(lead):
                if said.get((lead, origin.to), _NOTHING) != origin.first:
                    said[lead, origin.to] = origin.first
                    links.append(origin)
            for of in self._customers_of(lead):
                what = (of.first, of.organisation)
                if said.get((lead, of.customer), _NOTHING) != what:
                    said[lead, of.customer] = what
                    links.append(of)
        return links

    def _customers_of(self, lead: str) -> Iterator[LeadOf]:
        """To the customer whose lead it is, and to all whose it once was."""
        row = self._object(lead_key(lead))
        if row is None:
            return
        fields = known(row)
        theirs = None if row.deleted else text(fields, "customer")
        for ref in row.refs:
            if ref.startswith(_OF):
                customer = ref.removeprefix(_OF)
                first, organisation = None, False
                if customer == theirs:
                    first, organisation = first_said(row), "org_number" in fields
                yield LeadOf(lead, customer, self._partition, self._version, first, organisation)

    def _mention(self, ref: str, lead: str) -> tuple[bool, int | None]:
        """Whether a deal here names a lead, and the earliest activity here that does."""
        named = False
        since: int | None = None
        for key in self._naming.of(ref):
            row = self._object(key)
            if row is None or row.deleted or known(row).get("lead") != lead:
                continue
            if row.kind == "deal":
                named = True
            else:
                since = _earlier(since, row.first)
        return named, since

    def _origins(self, lead: str) -> list[LeadOrigin]:
        mentions = self._row(f"mentions:{lead}", MentionsRow)
        if mentions is None:
            return []
        row = self._object(lead_key(lead))
        first = row.first if row is not None and not row.deleted else None
        for mention in mentions.by_partition.values():
            first = _earlier(first, mention.since)
        return [
            LeadOrigin(lead, partition, self._version, first if mention.named else None)
            for partition, mention in mentions.by_partition.items()
        ]

    def _partials(self) -> list[Partial]:
        by_scope: dict[str, list[Cell]] = {}
        measures = self._tally.measures
        for cell in self._batch.cells:
            by_scope.setdefault(cell[0], []).append(Cell(cell[1], measures(cell)))
        return [
            Partial(scope, self._partition, self._version, self._as_of, cells)
            for scope, cells in by_scope.items()
        ]

    def _object(self, key: str) -> ObjectRow | None:
        """An object's row, the same one all through a batch."""
        row = self._read(key)
        assert row is None or isinstance(row, ObjectRow)
        return row

    def _row(self, key: str, kind: type[RowType]) -> RowType | None:
        """Any other row, the same one all through a batch."""
        row = self._read(key)
        assert row is None or isinstance(row, kind)
        return row

    def _read(self, key: str) -> Row | None:
        read = self._batch.read
        row = read.get(key)
        if row is None:
            row = self._rows.get(key)
            if row is not None:
                read[key] = row
        return row

    def _team_at(self, seller: str, micros: int) -> str | None:
        return team_at(self._row(seller_key(seller), SellerRow), micros)

    def _rate_at(self, currency: str, micros: int) -> str | None:
        return rate_at(self._row(rate_key(currency), RateRow), micros)

    def _first_contact(self, deal: ObjectRow) -> int:
        first = deal.first
        lead = text(known(deal), "lead")
        if lead is not None:
            origin = self._row(f"origin:{lead}", OriginRow)
            if origin is not None and origin.first is not None:
                first = min(first, origin.first)
        for key in self._naming.of(object_key("deal", deal.home, deal.id)):
            row = self._object(key)
            if row is not None and not row.deleted and known(row).get("deal") == deal.id:
                first = min(first, row.first)
        return first


class _Batch:
    """What one batch has read, changed and touched so far."""

    def __init__(self) -> None:
        self.read: dict[str, Row] = {}
        self.changed: dict[str, Row] = {}
        self.folded: dict[str, ObjectRow] = {}
        self.touched: dict[str, None] = {}
        """Objects to count anew, in the order in which they were touched."""
        self.known_already: set[str] = set()
        """Of these, the ones whose places are told even where nothing about them changed."""
        self.created: set[str] = set()
        """Objects that were not known before."""
        self.customers: dict[str, None] = {}
        """Customers to count anew."""
        self.rates: dict[str, int] = {}
        """From when on a currency's rates may have changed."""
        self.defined: dict[str, None] = {}
        """Definitions to say something of."""
        self.cells: set[CellKey] = set()
        self.leads_named: set[str] = set()
        self.leads_here: set[str] = set()


def _is_of_customer(row: ObjectRow) -> bool:
    """Whether an object lives with a customer, and is theirs."""
    return row.kind == "deal" or (row.kind == "activity" and "customer" in known(row))


def _won(deal: ObjectRow) -> Won | None:
    """When a deal was won that counts, and by whom."""
    for share in deal.shares:
        if "deals_won" in share.measures:
            fields = known(deal)
            at = won_at(deal, fields)
            assert at is not None
            return Won(at, deal.id, text(fields, "seller"))
    return None


def _references(row: ObjectRow, reporting_currency: str) -> list[str]:
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


def _earlier(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)
