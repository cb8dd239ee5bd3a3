"""A small CRM that lives through random nights, its contacts shared, merged, deleted; and what must hold after each."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from random import Random

import psycopg
from psycopg.types.json import Jsonb

from nurture.errors import TerminalError
from nurture.identity.unmerge import unmerge
from warehouse_rows import DAY, add_event, at, insert, resolve

TABLES = (
    "raw_hubspot.contacts, staging.contacts, staging.events, ops.load_log, marts.person, marts.person_identity, "
    "marts.person_split, marts.contact_split, marts.contact_change, marts.linked_day, ops.identity_event, ops.consent_event"
)


@dataclass
class Contact:
    """One contact id that the CRM ever gave out; `merged_into` is the contact that lives on in its place."""

    crm_id: str
    email: str | None
    user_id: str | None
    merged_ids: list[str] = field(default_factory=list)
    merged_into: str | None = None
    is_archived: bool = False

    @property
    def is_living(self) -> bool:
        return self.merged_into is None and not self.is_archived


class World:
    """What happens is drawn from `seed` alone; in which order rows are delivered, from `delivery_seed`."""

    def __init__(self, connection: psycopg.Connection, seed: int, delivery_seed: int = 0) -> None:
        self.connection = connection
        self.random, self.delivery = Random(seed), Random(delivery_seed)
        self.contacts: dict[str, Contact] = {}
        self.changed: set[str] = set()
        self.logins: dict[str, set[str]] = defaultdict(set)
        self.ever_one: set[tuple[str, str]] = set()
        self.persons_seen: dict[str, str] = {}
        self.events = 0

    def night(self) -> None:
        """Some changes in the CRM and on the site, their delivery, and a night of any day; now and then a separation."""
        for _ in range(self.random.randint(2, 6)):
            self.random.choice(
                (self._new, self._new, self._change, self._merge, self._merge, self._archive, self._restore)
            )()
        self._deliver()
        self._log_in()
        resolve(self.connection, DAY - timedelta(days=self.random.randint(0, 30)))
        if self.random.random() < 0.4:
            self._separate()

    def _living(self) -> list[Contact]:
        return [contact for contact in self.contacts.values() if contact.is_living]

    def _identifiers(self) -> tuple[str | None, str | None]:
        number = self.random.randint(1, 9)  # few, so that they are shared
        email, user = self.random.choice((f"a{number}@example.com", None)), self.random.choice((f"u-{number}", None))
        return email, user

    def _add(self, *merged: Contact) -> Contact:
        email, user = (merged[0].email, merged[0].user_id) if merged else self._identifiers()
        contact = Contact(str(len(self.contacts) + 1), email, user)
        self.contacts[contact.crm_id] = contact
        self.changed.add(contact.crm_id)
        return contact

    def _new(self) -> None:
        self._add()

    def _change(self) -> None:
        if living := self._living():
            contact = self.random.choice(living)
            contact.email, contact.user_id = self._identifiers()
            self.changed.add(contact.crm_id)

    def _merge(self) -> None:
        """The CRM merges two living contacts: the first one keeps its id, or a new one lives on in place of both."""
        if len(living := self._living()) < 2:
            return
        first, second = self.random.sample(living, 2)
        survivor = self._add(first, second) if self.random.random() < 0.5 else first
        for loser in (first, second):
            if loser is not survivor:
                survivor.merged_ids += [loser.crm_id, *loser.merged_ids]
        for crm_id in survivor.merged_ids:
            self.contacts[crm_id].merged_into = survivor.crm_id
        self.changed.update((survivor.crm_id, *survivor.merged_ids))

    def _archive(self) -> None:
        if living := self._living():
            contact = self.random.choice(living)
            contact.is_archived = True
            self.changed.add(contact.crm_id)

    def _restore(self) -> None:
        if gone := [contact for contact in self.contacts.values() if contact.is_archived and not contact.merged_into]:
            contact = self.random.choice(gone)
            contact.is_archived = False
            self.changed.add(contact.crm_id)

    def _deliver(self) -> None:
        order = sorted(self.changed)
        self.delivery.shuffle(order)
        for crm_id in order:
            contact = self.contacts[crm_id]
            raw = {
                "crm_id": crm_id, "email": contact.email, "site_user_id": contact.user_id, "merged_ids": contact.merged_ids,
                "merged_into": contact.merged_into, "is_archived": contact.is_archived, "modified_at": at(DAY),
                "created_at": at(DAY), "properties": Jsonb({}),
            }  # fmt: skip
            self.connection.execute("DELETE FROM raw_hubspot.contacts WHERE crm_id = %s", (crm_id,))
            self.connection.execute("DELETE FROM staging.contacts WHERE crm_id = %s", (crm_id,))
            insert(self.connection, "raw_hubspot", "contacts", raw)
            if contact.is_living:
                staged = {"crm_id": crm_id, "email": contact.email, "site_user_id": contact.user_id}
                insert(self.connection, "staging", "contacts", staged | {"is_opted_out": False, "modified_at": at(DAY)})
        self.changed.clear()

    def _log_in(self) -> None:
        """Somebody logs in on a device, on any day of the last months, which is loaded."""
        day = DAY - timedelta(days=self.random.randint(0, 60))
        user, device = f"u-{self.random.randint(1, 9)}", f"device-{self.random.randint(1, 6)}"
        self.events += 1
        add_event(self.connection, self.events, "login", day=day, user_id=user, user_pseudo_id=device)
        self.logins[device].add(user)
        self._log_load(day)

    def _log_load(self, day: date) -> None:
        load = {"dag_id": "customer_data", "run_id": str(self.events), "source": f"ga4.events_{day:%Y%m%d}", "day": day}
        insert(self.connection, "ops", "load_log", load | {"loaded_rows": 1})

    def _separate(self) -> None:
        """A person tells somebody apart, half of the time with a contact that the CRM has made for them."""
        self.note_who_is_one()
        merged = self.connection.execute(
            "SELECT person_id, merged_into FROM marts.person WHERE merged_into IS NOT NULL ORDER BY 1"
        ).fetchall()
        if not merged:
            return
        person_id, survivor = self.random.choice(merged)
        free = self.connection.execute(
            "SELECT crm_id FROM marts.person WHERE crm_id IS NOT NULL AND person_id <> %s ORDER BY 1", (survivor,)
        ).fetchall()
        new_crm_id = self.random.choice(free)[0] if free and self.random.random() < 0.5 else None
        named = {"person_id": person_id, "crm_id": None, "decided_by": "robin", "note": "a mistake"}
        try:
            with self.connection.transaction():
                unmerge(self.connection, **named, new_crm_id=new_crm_id)
        except TerminalError as error:
            assert "has a contact" in str(error)
            unmerge(self.connection, **named, new_crm_id=None)

    def heads(self) -> dict[str, str]:
        """Each person's last survivor."""
        return dict(
            self.connection.execute("SELECT person_id, coalesce(merged_into, person_id) FROM marts.person").fetchall()
        )

    def note_who_is_one(self) -> None:
        groups = defaultdict(list)
        for person, head in sorted(self.heads().items()):
            groups[head].append(person)
        for members in groups.values():
            self.ever_one.update(combinations(members, 2))

    def check(self) -> None:
        """What must hold after every night."""
        heads = self.heads()
        assert all(heads[head] == head for head in heads.values()), "merged_into leads to the last survivor in one step"
        first = dict(
            self.connection.execute(
                "SELECT value, first_person_id FROM marts.person_identity WHERE kind = 'crm_id'"
            ).fetchall()
        )
        assert self.persons_seen.items() <= first.items(), "the person to whom a contact led first never changes"
        self.persons_seen = first
        rows = self.connection.execute("SELECT kind, value, person_id FROM marts.person_identity").fetchall()
        link = {(kind, value): person for kind, value, person in rows}
        assert all(heads[person] == person for person in link.values()), "no identifier leads to a merged person"
        owners = self.connection.execute("SELECT crm_id, person_id FROM marts.person WHERE crm_id IS NOT NULL").fetchall()
        assert dict(owners) == {c.crm_id: link["crm_id", c.crm_id] for c in self._living()}, "one person to a living contact"
        self.note_who_is_one()
        kin = set(self.connection.execute("SELECT person_id, kin_id FROM marts.person_kin").fetchall())
        for one, other in self.ever_one:
            assert (heads[one], other) in kin, "what was sent while both were one counts for both"
            assert (heads[other], one) in kin, "what was sent while both were one counts for both"
        found = {key: person for key, person in link.items() if key[0] != "crm_id"}
        assert found == self._expected_links(link), "links follow from the contacts and the log-ins"

    def _expected_links(self, link: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        """Worked out anew, from the contacts one by one."""
        living: dict[tuple[str, str], set[str]] = defaultdict(set)
        swallowed: dict[tuple[str, str], set[str]] = defaultdict(set)
        with_contact = {link["crm_id", contact.crm_id] for contact in self._living()}
        for contact in self.contacts.values():
            person = link.get(("crm_id", contact.crm_id))
            carriers = living if contact.is_living else swallowed
            if contact.is_living or (contact.merged_into and person in with_contact):
                for kind, value in (("email", contact.email), ("user_id", contact.user_id)):
                    if value and person:
                        carriers[kind, value].add(person)
        expected = {key: next(iter(people)) for key, people in (swallowed | living).items() if len(people) == 1}
        for device, users in self.logins.items():
            owners = {expected.get(("user_id", user)) for user in users}
            if len(owners) == 1 and (owner := owners.pop()):
                expected["user_pseudo_id", device] = owner
        return expected

    def tables(self) -> list[list[tuple[object, ...]]]:
        """What the nights left behind, without moments and running numbers."""
        return [
            self.connection.execute(query).fetchall()
            for query in (
                "SELECT * FROM marts.person ORDER BY person_id",
                "SELECT kind, value, person_id, first_person_id FROM marts.person_identity ORDER BY 1, 2",
                "SELECT kind, person_id, other_person_id, crm_id, reason FROM ops.identity_event ORDER BY 1, 2, 3, 4, 5",
                "SELECT crm_id, from_crm_id FROM marts.contact_split ORDER BY 1, 2",
            )
        ]
