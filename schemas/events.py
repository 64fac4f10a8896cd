"""The CRM events that come in: CloudEvents envelopes around one data struct per event type.

Field for field this is the contract with producers. Meaning (what is counted, when, for whom)
lives in `kpis/`; here is only what a valid event looks like and where its home is.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct, field

Id = Annotated[str, Meta(min_length=1, max_length=128)]
"""An identifier: of a lead, a deal, a customer, a seller, an event."""

Text = Annotated[str, Meta(max_length=1024)]
"""Free text that a person wrote: a reason, a name, a product."""

# Patterns must say the same in Python, which reads events here, and in ECMAScript, which JSON Schemas
# are read by. There \d is [0-9], in Python every script's digits; there $ is the end, in Python also
# what stands before a newline at the end, which is why none may follow.

Money = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$(?!\n)",
        description="A decimal string such as 125000.00: at most 12 digits before the point, 6 after.",
    ),
]
"""An amount of money as a decimal string; never a float."""

Rate = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$(?!\n)",
        description="A decimal string such as 11.4275: reporting units for one unit of the currency.",
    ),
]

Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217, such as SEK.")]

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]

CostCategory = Literal["salary", "time", "marketing", "meeting_booking", "event", "other"]

MAX_COST_DAYS = 3_660
"""Over how many days a cost may be spread."""

ActivityKind = Literal["call", "email", "meeting_booked", "meeting_held", "quote_sent", "visit", "other"]


class Data(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an event says of its object."""


class LeadData(Data, frozen=True, kw_only=True):
    """Anything said of a lead; its home is the lead."""

    lead: Id

    @property
    def home(self) -> str:
        """The key that decides the partition."""
        return self.lead


class LeadCreatedData(LeadData, frozen=True, kw_only=True):
    """A lead came in."""

    customer: Id | None = None
    org_number: Id | None = None
    person: Id | None = None
    seller: Id | None = None
    origin: Text | None = None
    campaign: Text | None = None


class LeadQualifiedData(LeadData, frozen=True, kw_only=True):
    """A lead was found worth pursuing."""

    seller: Id | None = None
    customer: Id | None = None
    org_number: Id | None = None


class LeadDisqualifiedData(LeadData, frozen=True, kw_only=True):
    """A lead was found not worth pursuing."""

    reason: Text | None = None


class LeadDeletedData(LeadData, frozen=True, kw_only=True):
    """A lead was removed, for good."""

    customer: Id | None = None


class ActivityData(Data, frozen=True, kw_only=True):
    """Anything said of an activity; its home is the customer, else the lead, else itself."""

    activity: Id
    customer: Id | None = None
    lead: Id | None = None

    @property
    def home(self) -> str:
        """The key that decides the partition."""
        return self.customer or self.lead or self.activity


class ActivityLoggedData(ActivityData, frozen=True, kw_only=True):
    """A seller did something: called, met, sent a quote."""

    kind: ActivityKind
    seller: Id
    deal: Id | None = None
    person: Id | None = None

    def __post_init__(self) -> None:
        if self.deal is not None and self.customer is None:
            raise ValueError("`customer` is required where `deal` is named")


class ActivityDeletedData(ActivityData, frozen=True, kw_only=True):
    """An activity was removed, for good."""


class DealData(Data, frozen=True, kw_only=True):
    """Anything said of a deal; its home is the customer."""

    deal: Id
    customer: Id

    @property
    def home(self) -> str:
        """The key that decides the partition."""
        return self.customer


class DealCreatedData(DealData, frozen=True, kw_only=True):
    """A deal was opened."""

    seller: Id | None = None
    lead: Id | None = None
    value: Money | None = None
    currency: Currency | None = None
    product: Text | None = None
    first_contact: Instant | None = None
    expected_close: date | None = None


class DealAmendedData(DealData, frozen=True, kw_only=True):
    """Something known of a deal was put right."""

    seller: Id | None = None
    value: Money | None = None
    currency: Currency | None = None
    won_at: Instant | None = None
    lost_at: Instant | None = None
    product: Text | None = None


class DealWonData(DealData, frozen=True, kw_only=True):
    """The customer said yes."""

    seller: Id | None = None
    value: Money | None = None
    currency: Currency | None = None
    lead: Id | None = None


class DealLostData(DealData, frozen=True, kw_only=True):
    """The customer said no."""

    reason: Text | None = None


class DealReopenedData(DealData, frozen=True, kw_only=True):
    """A decided deal is open again."""


class DealDeletedData(DealData, frozen=True, kw_only=True):
    """A deal was removed, for good."""


class CustomerChurnedData(Data, frozen=True, kw_only=True):
    """A customer left."""

    customer: Id
    reason: Text | None = None

    @property
    def home(self) -> str:
        """The key that decides the partition."""
        return self.customer


class CostData(Data, frozen=True, kw_only=True):
    """Anything said of a cost; its home is the cost."""

    cost: Id

    @property
    def home(self) -> str:
        """The key that decides the partition."""
        return self.cost


def _checked_span(first: date | None, last: date | None) -> None:
    if first is None or last is None:
        return
    if last < first:
        raise ValueError(f"`to` {last} is before `from` {first}")
    if (last - first).days >= MAX_COST_DAYS:
        raise ValueError(f"`from` {first} to `to` {last} is longer than {MAX_COST_DAYS} days")


class CostLoggedData(CostData, frozen=True, kw_only=True):
    """Money was spent on selling."""

    category: CostCategory
    amount: Money
    currency: Currency
    seller: Id | None = None
    team: Id | None = None
    customer: Id | None = None
    campaign: Text | None = None
    from_: date | None = field(default=None, name="from")
    to: date | None = None

    def __post_init__(self) -> None:
        _checked_span(self.from_, self.to)


class CostAmendedData(CostData, frozen=True, kw_only=True):
    """Something known of a cost was put right."""

    category: CostCategory | None = None
    amount: Money | None = None
    currency: Currency | None = None
    seller: Id | None = None
    team: Id | None = None
    customer: Id | None = None
    campaign: Text | None = None
    from_: date | None = field(default=None, name="from")
    to: date | None = None

    def __post_init__(self) -> None:
        _checked_span(self.from_, self.to)


class CostDeletedData(CostData, frozen=True, kw_only=True):
    """A cost was removed, for good."""


class OrgData(Data, frozen=True, kw_only=True):
    """Anything said of the organisation; it goes to every partition."""

    @property
    def home(self) -> None:
        """No single home: every partition holds the organisation."""
        return None


class SellerAssignedData(OrgData, frozen=True, kw_only=True):
    """A seller joined a team, from the event's time on."""

    seller: Id
    team: Id
    name: Text | None = None
    manager: Text | None = None


class SellerLeftData(OrgData, frozen=True, kw_only=True):
    """A seller left, and is in no team from the event's time on."""

    seller: Id


class RateSetData(OrgData, frozen=True, kw_only=True):
    """An exchange rate, valid from the event's time on."""

    currency: Currency
    rate: Rate


class Envelope(Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True, gc=False):
    """The CloudEvents 1.0 attributes that every event carries."""

    topic: ClassVar[str]

    specversion: Literal["1.0"]
    id: Id
    source: Annotated[str, Meta(min_length=1, max_length=512)]
    time: Instant


class LeadEvent(Envelope, frozen=True, kw_only=True):
    """An event of a lead."""

    topic: ClassVar[str] = "crm.leads"


class LeadCreated(LeadEvent, frozen=True, kw_only=True, tag="lead.created"):  # noqa: D101
    data: LeadCreatedData


class LeadQualified(LeadEvent, frozen=True, kw_only=True, tag="lead.qualified"):  # noqa: D101
    data: LeadQualifiedData


class LeadDisqualified(LeadEvent, frozen=True, kw_only=True, tag="lead.disqualified"):  # noqa: D101
    data: LeadDisqualifiedData


class LeadDeleted(LeadEvent, frozen=True, kw_only=True, tag="lead.deleted"):  # noqa: D101
    data: LeadDeletedData


class ActivityEvent(Envelope, frozen=True, kw_only=True):
    """An event of an activity."""

    topic: ClassVar[str] = "crm.activities"


class ActivityLogged(ActivityEvent, frozen=True, kw_only=True, tag="activity.logged"):  # noqa: D101
    data: ActivityLoggedData


class ActivityDeleted(ActivityEvent, frozen=True, kw_only=True, tag="activity.deleted"):  # noqa: D101
    data: ActivityDeletedData


class DealEvent(Envelope, frozen=True, kw_only=True):
    """An event of a deal or a customer."""

    topic: ClassVar[str] = "crm.deals"


class DealCreated(DealEvent, frozen=True, kw_only=True, tag="deal.created"):  # noqa: D101
    data: DealCreatedData


class DealAmended(DealEvent, frozen=True, kw_only=True, tag="deal.amended"):  # noqa: D101
    data: DealAmendedData


class DealWon(DealEvent, frozen=True, kw_only=True, tag="deal.won"):  # noqa: D101
    data: DealWonData


class DealLost(DealEvent, frozen=True, kw_only=True, tag="deal.lost"):  # noqa: D101
    data: DealLostData


class DealReopened(DealEvent, frozen=True, kw_only=True, tag="deal.reopened"):  # noqa: D101
    data: DealReopenedData


class DealDeleted(DealEvent, frozen=True, kw_only=True, tag="deal.deleted"):  # noqa: D101
    data: DealDeletedData


class CustomerChurned(DealEvent, frozen=True, kw_only=True, tag="customer.churned"):  # noqa: D101
    data: CustomerChurnedData


class CostEvent(Envelope, frozen=True, kw_only=True):
    """An event of a cost."""

    topic: ClassVar[str] = "crm.costs"


class CostLogged(CostEvent, frozen=True, kw_only=True, tag="cost.logged"):  # noqa: D101
    data: CostLoggedData


class CostAmended(CostEvent, frozen=True, kw_only=True, tag="cost.amended"):  # noqa: D101
    data: CostAmendedData


class CostDeleted(CostEvent, frozen=True, kw_only=True, tag="cost.deleted"):  # noqa: D101
    data: CostDeletedData


class OrgEvent(Envelope, frozen=True, kw_only=True):
    """An event of the organisation."""

    topic: ClassVar[str] = "crm.org"


class SellerAssigned(OrgEvent, frozen=True, kw_only=True, tag="seller.assigned"):  # noqa: D101
    data: SellerAssignedData


class SellerLeft(OrgEvent, frozen=True, kw_only=True, tag="seller.left"):  # noqa: D101
    data: SellerLeftData


class RateSet(OrgEvent, frozen=True, kw_only=True, tag="rate.set"):  # noqa: D101
    data: RateSetData


Event = (
    LeadCreated
    | LeadQualified
    | LeadDisqualified
    | LeadDeleted
    | ActivityLogged
    | ActivityDeleted
    | DealCreated
    | DealAmended
    | DealWon
    | DealLost
    | DealReopened
    | DealDeleted
    | CustomerChurned
    | CostLogged
    | CostAmended
    | CostDeleted
    | SellerAssigned
    | SellerLeft
    | RateSet
)

EVENT_TYPES: dict[str, type[Event]] = {str(event.__struct_config__.tag): event for event in Event.__args__}
"""Every event type by its `type` attribute."""

_TYPES: dict[type[Event], str] = {event: name for name, event in EVENT_TYPES.items()}


def type_of(event: Event) -> str:
    """An event's `type` attribute."""
    return _TYPES[type(event)]


def fields_of(kind: str) -> tuple[msgspec.structs.FieldInfo, ...]:
    """What an event type's data may state, and must."""
    [data] = (field for field in msgspec.structs.fields(EVENT_TYPES[kind]) if field.name == "data")
    return msgspec.structs.fields(data.type)


encode_event = msgspec.json.Encoder().encode


class Recorded(NamedTuple):
    """An event as somebody wrote it down: what we know of it, and every byte of what they said."""

    event: Event
    raw: bytes
