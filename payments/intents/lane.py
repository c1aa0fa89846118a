"""Group commit: calls that meet go to the database together.

While one call is under way, those that come wait; when it is back, all of them go in the
next. Nobody waits for company: who finds the lane free goes at once, alone. What a call
costs besides its rows (a round trip, a statement's start and end, a commit, a server
process that wakes with a cold cache) is then paid once for all that came together, so the
database does less for each payment the more it is asked (docs/adr/0006).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error

Given = TypeVar("Given")
Call = Callable[[BaseDatabaseWrapper, Sequence[Given]], bool]

# As many as go together at the most; a server has fewer threads than this.
TOGETHER_MAX = 16


class _Ticket(Generic[Given]):
    """One that goes: what it gives, and how its thread is woken, to lead or because it is settled."""

    __slots__ = ("given", "is_settled", "is_written", "party", "wakes")

    def __init__(self, given: Given) -> None:
        self.given = given
        self.wakes = threading.Lock()
        self.wakes.acquire()
        # Whom it leads, itself among them; empty where another leads.
        self.party: list[_Ticket[Given]] = []
        self.is_settled = False
        self.is_written = False


class Lane(Generic[Given]):
    """One call at a time, on one connection, for as many as wait.

    `call(connection, given)` writes all that is given and returns True, or writes nothing
    and returns False or raises. Where several went and it was not True, each is tried alone,
    so that none hears what is wrong with another.
    """

    def __init__(self, call: Call[Given]) -> None:
        self._call = call
        self._mutex = threading.Lock()
        self._waiting: list[_Ticket[Given]] = []
        self._is_taken = False
        # Its own, and the same for every thread: one server process, whose caches stay warm.
        self._connection: BaseDatabaseWrapper | None = None

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """The connection of whoever leads."""
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
            self._connection.inc_thread_sharing()
        return self._connection

    def close(self) -> None:
        """End the connection; the next call opens another, by the settings of then."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def go(self, given: Given) -> bool:
        """Make the call, or wait for a thread that does. Whether it was written; raises what the call raises."""
        own = connections[DEFAULT_DB_ALIAS]
        if own.in_atomic_block:
            return self._call(own, [given])  # a part of the caller's transaction, whose rows nobody else sees
        ticket = _Ticket(given)
        with self._mutex:
            leads = not self._is_taken
            if leads:
                self._is_taken = True
                ticket.party = [ticket]
            else:
                self._waiting.append(ticket)
        if not leads:
            ticket.wakes.acquire()
        if not ticket.is_settled:
            self._lead(ticket)
        if ticket.is_written or len(ticket.party) == 1:
            return ticket.is_written
        return self._call(own, [given])

    def _lead(self, leader: _Ticket[Given]) -> None:
        """Make the call for a party, wake its members, and hand the lane to those who came meanwhile."""
        with self._mutex:
            party = leader.party = self._gather(leader.party)
        is_written = False
        try:
            is_written = self._call(self.connection, [ticket.given for ticket in party])
        except Error:
            # A connection that broke must not meet the next party.
            self.connection.close_if_unusable_or_obsolete()
            if len(party) == 1:
                raise
        finally:
            with self._mutex:
                following = self._gather([])
                self._is_taken = bool(following)
            if following:
                following[0].party = following
                following[0].wakes.release()
            for ticket in party:
                ticket.is_settled, ticket.is_written = True, is_written
                if ticket is not leader:
                    ticket.wakes.release()

    def _gather(self, party: list[_Ticket[Given]]) -> list[_Ticket[Given]]:
        """A party and those who wait, as far as there is room."""
        room = TOGETHER_MAX - len(party)
        party = party + self._waiting[:room]
        del self._waiting[:room]
        return party
