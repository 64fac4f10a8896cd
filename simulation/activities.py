"""What sellers do with leads and customers: they call, write, meet, send quotes."""

from msgspec import Struct

from simulation.customers import Customer
from simulation.people import Seller
from simulation.telling import Telling

DELETED = 0.006
"""How often what was logged is deleted."""
MOVED = 0.01
"""How often it is logged again, since it was really some days later."""


class Lead(Struct, eq=False):
    """A lead, and what is known of it."""

    id: str
    customer: Customer
    known: bool
    """Whether it has been said which customer it is."""
    seller: Seller
    campaign: str | None
    touches: int
    """How many more times it is contacted until it is clear whether it is worth pursuing."""


class Activities:
    """Logs what is done, and now and then takes it back."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def of_lead(self, at: int, kind: str, seller: Seller, lead: Lead) -> None:
        """Something is done with a lead: for its customer once that is known."""
        # A field that we do not know, as a CRM may have them: whoever asks for it finds it.
        campaign = f',"campaign":"{lead.campaign}"' if lead.campaign else ""
        customer = f'"customer":"{lead.customer.id}",' if lead.known else ""
        self._log(
            at, kind, seller, f'{customer}"lead":"{lead.id}"', f"{self._person(lead.customer)}{campaign}"
        )

    def of_deal(self, at: int, kind: str, seller: Seller, customer: Customer, deal: str) -> None:
        """Something is done for a deal."""
        self._log(
            at, kind, seller, f'"customer":"{customer.id}"', f'"deal":"{deal}",{self._person(customer)}'
        )

    def _person(self, customer: Customer) -> str:
        person = 1 + int(self._telling.random.random() * customer.persons)
        return f'"person":"p-{customer.number}-{person}"'

    def _log(self, at: int, kind: str, seller: Seller, home: str, about: str) -> None:
        telling = self._telling
        where = f'"activity":"a-{telling.number("activity")}",{home}'
        what = f'{where},"kind":"{kind}","seller":"{seller.id}",{about}'
        telling.tell(at, "activity.logged", what)
        drawn = telling.random.random()
        if drawn < DELETED:
            telling.plan(telling.later(at, 1.0), self._delete, where)
        elif drawn < DELETED + MOVED:
            telling.plan(telling.later(at, 3.0), self._again, (seller, what))

    def _again(self, at: int, logged: tuple[Seller, str]) -> None:
        seller, what = logged
        if not seller.left:
            self._telling.tell(at, "activity.logged", what)

    def _delete(self, at: int, where: str) -> None:
        self._telling.tell(at, "activity.deleted", where)
