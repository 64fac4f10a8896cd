"""The ledger of one partition: folds what comes in, and says what to store and whom to tell.

Everything it says is absolute: rows, partials and links replace what was said before under a lower
version, so receiving any of them twice, or late, is harmless. It does no I/O: it reads rows, and says
which to write; the order in which its effects are carried out is the agent's.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeVar

from kpis.calendar import micros_of
from kpis.contributions import Business, Joins, shares_of
from kpis.fold import (
    QUALIFIED,
    fold,
    fold_seller,
    identify,
    known,
    lead_key,
    new_object,
    object_key,
    seller_key,
    team_at,
    text,
)
from kpis.naming import Naming, NamingInMemory
from kpis.tally import CellKey, Tally
from kpis.versions import AS_OF, first_version
from schemas.events import (
    CostAmended,
    CostDeleted,
    CostLogged,
    Event,
    RateSet,
    SellerAssigned,
    SellerLeft,
)
from schemas.internal import Cell, LeadNamed, LeadOrigin, Link, Partial, TermBegun
from schemas.rows import (
    Mention,
    MentionsRow,
    ObjectRow,
    OriginRow,
    Row,
    SellerRow,
)

SAID_KEPT = 100_000
"""Of how many leads a ledger remembers what it said."""

TERMS = "terms"
"""The key of the row that holds, by partition, from which version on what it says of leads holds."""

_NOTHING = object()

_NOT_YET_COUNTED: tuple[type[Event], ...] = (CostLogged, CostAmended, CostDeleted, RateSet)
"""Valid events that no measure counts so far; they stay in their topics, which are kept for good."""

RowType = TypeVar("RowType", SellerRow, MentionsRow, OriginRow)


class Effects(NamedTuple):
    """What a batch leads to, all of it absolute, and all of it of one version."""

    version: int
    rows: dict[str, Row]
    partials: list[Partial]
    links: list[Link]


class Ledger:
    """One partition's objects: reads their rows, and keeps the views over them.

    The views are `tally`, `naming` and `clock`, which holds the latest event time. Whoever keeps them
    elsewhere than in this process's memory gives them; they are empty, or as the rows make them.
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
        clock: MutableMapping[str, int] | None = None,
    ) -> None:
        self._partition = partition
        self._business = business
        self._rows = rows
        self._version = first_version(term)
        self._tally = Tally() if tally is None else tally
        self._naming: Naming = NamingInMemory() if naming is None else naming
        self._clock: MutableMapping[str, int] = {} if clock is None else clock
        self._as_of = self._clock.get(AS_OF, 0)
        self._said: dict[object, object] = {}
        """What was last said of leads in this term, to save saying it again; forgotten in a crash."""
        self._batch = _Batch()
        self._joins = Joins(self._team_at, self._first_contact)
        self._handlers: dict[type[Event | Link], Callable[[Any], None]] = {
            LeadNamed: self._hear_named,
            LeadOrigin: self._hear_origin,
            TermBegun: self._hear_term,
            SellerAssigned: self._fold_seller,
            SellerLeft: self._fold_seller,
            **dict.fromkeys(_NOT_YET_COUNTED, _leave),
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
        if not isinstance(new, ObjectRow):
            return
        named: list[str] = []
        if isinstance(old, ObjectRow):
            named = old.refs
            for share in old.shares:
                self._tally.remove(share)
        self._see(max([new.first, *(telling.time for telling in new.told)]))
        for ref in new.refs:
            if ref not in named:
                self._naming.add(ref, key)
        for share in new.shares:
            self._tally.add(share)

    def apply(self, inputs: Iterable[Event | Link]) -> Effects:
        """Fold a batch, in any order, and say what follows.

        What an input changes is said, and what it touches is said again where it was known already:
        then it may be a replay after a crash, which cannot know what was heard.
        """
        self._version += 1
        batch = self._batch = _Batch()
        handlers = self._handlers
        for item in inputs:
            handlers.get(type(item), self._fold_object)(item)
        self._follow_references()
        for key in batch.touched:
            self._count(key)
        if TERMS in batch.changed:
            # Last, so that nothing can be known to be void before what came before it is safe.
            batch.changed[TERMS] = batch.changed.pop(TERMS)
        return Effects(self._version, batch.changed, self._partials(), self._links())

    def _fold_object(self, event: Event) -> None:
        batch = self._batch
        time = micros_of(event.time)
        if time > self._as_of:
            self._see(time)
        kind, home, identifier = identify(event)
        key = object_key(kind, home, identifier)
        row = self._object(key)
        if row is None:
            row = batch.read[key] = new_object(kind, home, identifier)
        if fold(row, event, time):
            batch.changed[key] = row
        else:
            batch.known_already.add(key)
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

    def _hear_named(self, link: LeadNamed) -> None:
        """At the lead's home: a partition says whether it names the lead."""
        self._batch.leads_here.add(link.lead)
        begun = self._terms().by_partition.get(link.source)
        if begun is not None and link.version < begun.version:
            return
        key = f"mentions:{link.lead}"
        row = self._row(key, MentionsRow)
        if row is None:
            row = self._batch.read[key] = MentionsRow({})
        known = row.by_partition.get(link.source)
        if known is None or link.version >= known.version:
            row.by_partition[link.source] = Mention(link.version, link.named, link.since)
        self._batch.changed[key] = row

    def _hear_term(self, link: TermBegun) -> None:
        """A partition has a new owner: what its earlier ones say of leads from now on is void."""
        row = self._terms()
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

    def _follow_references(self) -> None:
        """Note whom the folded objects name, and touch the deals that the folded activities name."""
        batch = self._batch
        for key, row in batch.folded.items():
            refs = row.refs
            for ref in _references(row):
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

    def _count(self, key: str) -> None:
        """Replace what an object contributed by what it contributes now."""
        batch = self._batch
        row = self._object(key)
        if row is None:
            return
        tally = self._tally
        before = row.shares
        shares = shares_of(row, self._business, self._joins)
        if shares != before:
            for share in before:
                tally.remove(share)
            for share in shares:
                tally.add(share)
            row.shares = shares
            batch.changed[key] = row
        elif key not in batch.known_already:
            return
        for share in shares:
            batch.cells.update(tally.touched_by(share))

    def _links(self) -> list[Link]:
        links: list[Link] = []
        said = self._said
        if len(said) > SAID_KEPT:
            said.clear()
        for ref in self._batch.leads_named:
            lead = _lead_of(ref)
            mention = self._mention(ref, lead)
            if said.get(lead) != mention:
                said[lead] = mention
                links.append(LeadNamed(lead, self._partition, self._version, *mention))
        for lead in self._batch.leads_here:
            for origin in self._origins(lead):
                if said.get((lead, origin.to), _NOTHING) != origin.first:
                    said[lead, origin.to] = origin.first
                    links.append(origin)
        return links

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


def _leave(_item: Event | Link) -> None:
    """Count nothing."""


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
        self.cells: set[CellKey] = set()
        self.leads_named: set[str] = set()
        self.leads_here: set[str] = set()


def _references(row: ObjectRow) -> list[str]:
    """The keys of the rows an object is joined with: its sellers, its lead, and an activity's deal."""
    refs: list[str] = []
    fields = known(row)
    seller = text(fields, "seller")
    if seller is not None:
        refs.append(seller_key(seller))
    if row.kind == "lead":
        qualified = row.firsts.get(QUALIFIED)
        if qualified is not None and isinstance(qualified.value, str) and qualified.value != seller:
            refs.append(seller_key(qualified.value))
        return refs
    lead = text(fields, "lead")
    if lead is not None:
        refs.append(lead_key(lead))
    deal = text(fields, "deal") if row.kind == "activity" else None
    if deal is not None:
        refs.append(object_key("deal", row.home, deal))
    return refs


def _lead_of(ref: str) -> str:
    """The lead's id in a lead's key, `lead:LENGTH:ID:ID`."""
    length, _, rest = ref.removeprefix("lead:").partition(":")
    return rest[: int(length)]


def _earlier(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)
