"""The ledger of one partition: folds what comes in, and says what to store and whom to tell.

Everything it says is absolute: rows, partials and links replace what was said before under a lower
version, so receiving any of them twice, or late, is harmless. It does no I/O; the order in which its
effects are carried out is the agent's.
"""

from collections.abc import Iterable, MutableMapping
from typing import NamedTuple

from kpis.calendar import micros_of
from kpis.contributions import Business, Joins, shares_of, text
from kpis.fold import (
    ANY,
    QUALIFIED,
    fold,
    fold_seller,
    identify,
    lead_key,
    new_object,
    object_key,
    seller_key,
    team_at,
)
from kpis.tally import CellKey, Tally, cells_of
from schemas.events import (
    CostAmended,
    CostDeleted,
    CostLogged,
    Event,
    RateSet,
    SellerAssigned,
    SellerLeft,
)
from schemas.internal import Cell, LeadNamed, LeadOrigin, Link, Partial
from schemas.rows import (
    Mention,
    MentionsRow,
    ObjectRow,
    OriginRow,
    Row,
    SellerRow,
)

VERSIONS_PER_TERM = 1_000_000_000
"""A version is term x this + a count of batches, so a later term always beats an earlier one."""

_NOT_YET_COUNTED = (CostLogged, CostAmended, CostDeleted, RateSet)
"""Valid events that no measure counts so far; they stay in their topics, which are kept for good."""


class Effects(NamedTuple):
    """What a batch leads to, all of it absolute."""

    rows: dict[str, Row]
    partials: list[Partial]
    links: list[Link]


class Ledger:
    """The rows of one partition, and the views over them."""

    def __init__(
        self, partition: int, business: Business, rows: MutableMapping[str, Row], term: int = 1
    ) -> None:
        self._partition = partition
        self._business = business
        self._rows = rows
        self._version = term * VERSIONS_PER_TERM
        self._tally = Tally()
        self._naming: dict[str, set[str]] = {}
        self._as_of = 0
        self._joins = Joins(self._team_at, self._first_contact)
        for key, row in rows.items():
            if isinstance(row, ObjectRow):
                self._index(key, row.refs)
                for share in row.shares:
                    self._tally.add(share)

    def apply(self, inputs: Iterable[Event | Link]) -> Effects:
        """Fold a batch, in any order, and say what follows.

        What an input touches is said again even where nothing changed: a replay after a crash
        cannot know what was heard.
        """
        self._version += 1
        batch = _Batch()
        for item in inputs:
            if isinstance(item, LeadNamed):
                self._hear_named(item, batch)
            elif isinstance(item, LeadOrigin):
                self._hear_origin(item, batch)
            elif isinstance(item, SellerAssigned | SellerLeft):
                self._fold_seller(item, batch)
            elif not isinstance(item, _NOT_YET_COUNTED):
                self._fold_object(item, batch)
        self._follow_references(batch)
        for key in batch.touched:
            self._count(key, batch)
        links = self._links(batch)
        for row in batch.rows.values():
            row.version = self._version
        return Effects(batch.rows, self._partials(batch), links)

    def _fold_object(self, event: Event, batch: "_Batch") -> None:
        kind, home, identifier = identify(event)
        key = object_key(kind, home, identifier)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = new_object(kind, home, identifier)
        assert isinstance(row, ObjectRow)
        fold(row, event)
        batch.folded[key] = row
        batch.touched.add(key)
        self._as_of = max(self._as_of, micros_of(event.time))

    def _fold_seller(self, event: SellerAssigned | SellerLeft, batch: "_Batch") -> None:
        key = seller_key(event.data.seller)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = SellerRow([], {}, 0)
        assert isinstance(row, SellerRow)
        fold_seller(row, event)
        batch.rows[key] = row
        batch.touched |= self._naming.get(key, set())

    def _hear_named(self, link: LeadNamed, batch: "_Batch") -> None:
        """At the lead's home: a partition says whether it names the lead."""
        key = f"mentions:{link.lead}"
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = MentionsRow({}, 0)
        assert isinstance(row, MentionsRow)
        known = row.by_partition.get(link.source)
        if known is None or link.version >= known.version:
            row.by_partition[link.source] = Mention(link.version, link.named, link.since)
        batch.rows[key] = row
        batch.leads_here.add(link.lead)

    def _hear_origin(self, link: LeadOrigin, batch: "_Batch") -> None:
        """Where a lead is named: its home says when it was first heard of."""
        key = f"origin:{link.lead}"
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = OriginRow(-1, None, 0)
        assert isinstance(row, OriginRow)
        if link.version >= row.told:
            row.told, row.first = link.version, link.first
        batch.rows[key] = row
        batch.touched |= self._naming.get(lead_key(link.lead), set())

    def _follow_references(self, batch: "_Batch") -> None:
        """Note whom the folded objects name, and touch the deals that the folded activities name."""
        for key, row in batch.folded.items():
            refs = _references(row)
            new = [ref for ref in refs if ref not in row.refs]
            if new:
                row.refs.extend(new)
                self._index(key, new)
            if row.kind == "lead":
                batch.leads_here.add(row.id)
            for ref in row.refs:
                if ref.startswith("deal:"):
                    batch.touched.add(ref)
                elif ref.startswith("lead:"):
                    batch.leads_named.add(ref)

    def _count(self, key: str, batch: "_Batch") -> None:
        """Replace what an object contributed by what it contributes now."""
        row = self._rows.get(key)
        if not isinstance(row, ObjectRow):
            return
        for share in row.shares:
            self._tally.remove(share)
        row.shares = shares_of(row, self._business, self._joins)
        for share in row.shares:
            self._tally.add(share)
            batch.cells.update(cells_of(share))
        batch.rows[key] = row

    def _links(self, batch: "_Batch") -> list[Link]:
        links: list[Link] = []
        for ref in batch.leads_named:
            lead = _lead_of(ref)
            named, since = self._mention(ref, lead)
            links.append(LeadNamed(lead, self._partition, self._version, named, since))
        for lead in batch.leads_here:
            links.extend(self._origins(lead))
        return links

    def _mention(self, ref: str, lead: str) -> tuple[bool, int | None]:
        """Whether a deal here names a lead, and the earliest activity here that does."""
        named = False
        since: int | None = None
        for key in self._naming.get(ref, ()):
            row = self._rows[key]
            if not isinstance(row, ObjectRow) or row.deleted or text(row.said.get("lead")) != lead:
                continue
            if row.kind == "deal":
                named = True
            else:
                since = _earlier(since, row.first[ANY].time)
        return named, since

    def _origins(self, lead: str) -> list[LeadOrigin]:
        mentions = self._rows.get(f"mentions:{lead}")
        if not isinstance(mentions, MentionsRow):
            return []
        row = self._rows.get(lead_key(lead))
        first: int | None = None
        if isinstance(row, ObjectRow) and not row.deleted:
            first = row.first[ANY].time
        for mention in mentions.by_partition.values():
            first = _earlier(first, mention.since)
        return [
            LeadOrigin(lead, partition, self._version, first if mention.named else None)
            for partition, mention in mentions.by_partition.items()
        ]

    def _partials(self, batch: "_Batch") -> list[Partial]:
        by_scope: dict[str, list[Cell]] = {}
        for scope, window in batch.cells:
            measures = self._tally.measures((scope, window))
            by_scope.setdefault(scope, []).append(Cell(window.grain, window.start, measures))
        return [
            Partial(scope, self._partition, self._version, self._as_of, cells)
            for scope, cells in by_scope.items()
        ]

    def _index(self, key: str, refs: Iterable[str]) -> None:
        for ref in refs:
            self._naming.setdefault(ref, set()).add(key)

    def _team_at(self, seller: str, micros: int) -> str | None:
        row = self._rows.get(seller_key(seller))
        return team_at(row, micros) if isinstance(row, SellerRow) else None

    def _first_contact(self, deal: ObjectRow) -> int:
        first = deal.first[ANY].time
        lead = text(deal.said.get("lead"))
        if lead is not None:
            origin = self._rows.get(f"origin:{lead}")
            if isinstance(origin, OriginRow) and origin.first is not None:
                first = min(first, origin.first)
        for key in self._naming.get(object_key("deal", deal.home, deal.id), ()):
            row = self._rows[key]
            if isinstance(row, ObjectRow) and not row.deleted and _deal_of(row) == deal.id:
                first = min(first, row.first[ANY].time)
        return first


class _Batch:
    """What one batch has touched so far."""

    def __init__(self) -> None:
        self.folded: dict[str, ObjectRow] = {}
        self.rows: dict[str, Row] = {}
        self.touched: set[str] = set()
        self.cells: set[CellKey] = set()
        self.leads_named: set[str] = set()
        self.leads_here: set[str] = set()


def _references(row: ObjectRow) -> list[str]:
    """The keys of the rows an object is joined with: its sellers, its lead, and an activity's deal."""
    refs: list[str] = []
    sellers = {text(row.said.get("seller")), text(row.first.get(QUALIFIED))}
    refs.extend(seller_key(seller) for seller in sellers if seller is not None)
    if row.kind != "lead":
        lead = text(row.said.get("lead"))
        if lead is not None:
            refs.append(lead_key(lead))
    deal = _deal_of(row)
    if deal is not None:
        refs.append(object_key("deal", row.home, deal))
    return refs


def _deal_of(row: ObjectRow) -> str | None:
    return text(row.said.get("deal")) if row.kind == "activity" else None


def _lead_of(ref: str) -> str:
    """The lead's id in a lead's key, `lead:LENGTH:ID:ID`."""
    length, _, rest = ref.removeprefix("lead:").partition(":")
    return rest[: int(length)]


def _earlier(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)
