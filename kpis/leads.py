"""What the homes tell each other of leads: who names one, when it was first heard of, whose it is.

A lead lives at a home of its own, and the deals and activities that name it at their customers'. Each side
says to the other what it knows, absolutely; and what an owner says whose time is over is void.
"""

from collections.abc import Iterator

from kpis.batch import Batch
from kpis.fold import first_said, identifier_of, known, lead_key, of_customer, text
from kpis.naming import Naming
from schemas.internal import LeadNamed, LeadOf, LeadOrigin, Link, TermBegun
from schemas.rows import Mention, MentionsRow, ObjectRow, OriginRow

SAID_KEPT = 100_000
"""Of how many things that it said lately a ledger remembers what it was; and of as many before these."""

TERMS = "terms"
"""The key of the row that holds, by partition, from which version on what it says of leads holds."""

_NOTHING = object()
_DEAL = "deal:"
"""How the keys of deals begin."""
_OF = of_customer("")
"""How that begins under which an object names its customer."""


class Leads:
    """One partition's part in it."""

    def __init__(self, partition: int, naming: Naming) -> None:
        self._partition = partition
        self._naming = naming
        self._said = _Said()

    def begin_term(self) -> None:
        """Between two terms another owner may have said something else."""
        self._said.clear()

    def hear_named(self, batch: Batch, link: LeadNamed) -> None:
        """At the lead's home: a partition says whether it names the lead."""
        batch.leads_here.add(link.lead)
        if self.is_void(batch, link.source, link.version):
            return
        key = f"mentions:{link.lead}"
        row = batch.row_or(key, MentionsRow, lambda: MentionsRow({}))
        known = row.by_partition.get(link.source)
        if known is None or link.version >= known.version:
            asked = link.named or (known is not None and known.asked)
            row.by_partition[link.source] = Mention(link.version, link.named, link.since, asked)
        batch.changed[key] = row

    def is_void(self, batch: Batch, source: int, version: int) -> bool:
        """Whether a partition's owner said it whose time was over."""
        begun = self._terms(batch).by_partition.get(source)
        return begun is not None and version < begun.version

    def hear_term(self, batch: Batch, link: TermBegun) -> None:
        """A partition has a new owner: what its earlier ones say of leads from now on is void."""
        row = self._terms(batch)
        begun = row.by_partition.get(link.source)
        if begun is None or link.version > begun.version:
            # A lower one is of an owner who was paused while it announced itself.
            row.by_partition[link.source] = Mention(link.version, False, None, False)
            batch.changed[TERMS] = row

    def _terms(self, batch: Batch) -> MentionsRow:
        return batch.row_or(TERMS, MentionsRow, lambda: MentionsRow({}))

    def hear_origin(self, batch: Batch, link: LeadOrigin) -> None:
        """Where a lead is named: its home says when it was first heard of."""
        key = f"origin:{link.lead}"
        row = batch.row_or(key, OriginRow, lambda: OriginRow(-1, None))
        if link.version >= row.told:
            row.told, row.first = link.version, link.first
        batch.changed[key] = row
        # What is done for a lead counts the same, whenever the lead was first heard of.
        batch.touch(key for key in self._naming.of(lead_key(link.lead)) if key.startswith(_DEAL))

    def is_said(self, ref: str, row: ObjectRow) -> bool:
        """Whether what a new object says of a lead it names changes nothing of what was said of the lead.

        So it is of one more activity, if an earlier one is told of: most are.
        """
        if row.kind != "activity" or row.deleted:
            return False
        match self._said.of(identifier_of(ref)):
            case (bool(), int(since)):
                return since <= row.first
            case _:
                return False

    def links(self, batch: Batch) -> list[Link]:
        """What to say of the leads that a batch names, or has here, as far as it is not said already."""
        links: list[Link] = []
        said = self._said
        for ref in batch.leads_named:
            lead = identifier_of(ref)
            mention = self._mention(batch, ref, lead)
            if said.of(lead) != mention:
                said.note(lead, mention)
                links.append(LeadNamed(lead, self._partition, batch.version, *mention))
        for lead in batch.leads_here:
            for origin in self._origins(batch, lead):
                if said.of((lead, origin.to)) != origin.first:
                    said.note((lead, origin.to), origin.first)
                    links.append(origin)
            for of in self._customers_of(batch, lead):
                what = (of.first, of.organisation)
                if said.of((lead, of.customer)) != what:
                    said.note((lead, of.customer), what)
                    links.append(of)
        return links

    def _customers_of(self, batch: Batch, lead: str) -> Iterator[LeadOf]:
        """To the customer whose lead it is, and to all whose it once was."""
        row = batch.object(lead_key(lead))
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
                yield LeadOf(lead, customer, self._partition, batch.version, first, organisation)

    def _mention(self, batch: Batch, ref: str, lead: str) -> tuple[bool, int | None]:
        """Whether a deal here names a lead, and the earliest activity here that does."""
        named = False
        since: int | None = None
        for key in self._naming.of(ref):
            row = batch.object(key)
            if row is None or row.deleted or known(row).get("lead") != lead:
                continue
            if row.kind == "deal":
                named = True
            else:
                since = _earlier(since, row.first)
        return named, since

    def _origins(self, batch: Batch, lead: str) -> list[LeadOrigin]:
        mentions = batch.row(f"mentions:{lead}", MentionsRow)
        if mentions is None:
            return []
        row = batch.object(lead_key(lead))
        first = row.first if row is not None and not row.deleted else None
        for mention in mentions.by_partition.values():
            first = _earlier(first, mention.since)
        return [
            LeadOrigin(lead, partition, batch.version, first if mention.named else None)
            for partition, mention in mentions.by_partition.items()
            if mention.asked
        ]


class _Said:
    """What was last said of leads in this term, to save saying it again; forgotten in a crash.

    What was longest not asked for goes first.
    """

    def __init__(self) -> None:
        self._lately: dict[object, object] = {}
        self._before: dict[object, object] = {}

    def of(self, what: object) -> object:
        """What was said, or something that nobody says."""
        known = self._lately.get(what, _NOTHING)
        if known is _NOTHING:
            known = self._before.get(what, _NOTHING)
            if known is not _NOTHING:
                self.note(what, known)
        return known

    def note(self, what: object, said: object) -> None:
        """It was said."""
        if len(self._lately) >= SAID_KEPT:
            self._before, self._lately = self._lately, {}
        self._lately[what] = said

    def clear(self) -> None:
        """Nothing is known to have been said."""
        self._lately.clear()
        self._before.clear()


def _earlier(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)
