"""Group commit: calls that meet go to the database together.

While calls are under way on all its connections, those that come wait; when one is back,
all of them go in the next. Nobody waits for company: who finds a connection free goes at
once, alone. What a call
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
# How many calls of a process are under way at a time. With one alone the database idles while the process writes its
# answers; with one for each thread nobody goes together.
AT_ONCE = 2


class _Ticket(Generic[Given]):
    """One that goes: what it gives, and how its thread is woken, to lead or because it is settled."""

    __slots__ = ("connection", "given", "is_settled", "is_written", "party", "wakes")

    def __init__(self, given: Given) -> None:
        self.given = given
        self.wakes = threading.Lock()
        self.wakes.acquire()
        # Whom it leads, itself among them, and on which connection; empty where another leads.
        self.party: list[_Ticket[Given]] = []
        self.connection: BaseDatabaseWrapper | None = None
        self.is_settled = False
        self.is_written = False


class Lane(Generic[Given]):
    """A few calls at a time, each on a connection of the lane, for as many as wait.

    `call(connection, given)` writes all that is given and returns True, or writes nothing
    and returns False or raises. Where several went and it was not True, each is tried alone,
    so that none hears what is wrong with another.
    """

    def __init__(self, call: Call[Given], *, at_once: int = AT_ONCE) -> None:
        self._call = call
        self._mutex = threading.Lock()
        self._waiting: list[_Ticket[Given]] = []
        # The connections that nobody leads on; None has not been opened yet. They are the lane's own, the same for
        # every thread, and the last one used goes first: few server processes, whose caches stay warm.
        self._idle: list[BaseDatabaseWrapper | None] = [None] * at_once

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """The connection of whoever leads next, where one is idle."""
        connection = self._idle[-1] = self._idle[-1] or _connect()
        return connection

    def close(self) -> None:
        """End the idle connections; the next calls open others, by the settings of then."""
        with self._mutex:
            for connection in self._idle:
                if connection is not None:
                    connection.close()
            self._idle = [None] * len(self._idle)

    def go(self, given: Given) -> bool:
        """Make the call, or wait for a thread that does. Whether it was written; raises what the call raises."""
        own = connections[DEFAULT_DB_ALIAS]
        if own.in_atomic_block:
            return self._call(own, [given])  # a part of the caller's transaction, whose rows nobody else sees
        ticket = _Ticket(given)
        with self._mutex:
            leads = bool(self._idle)
            if leads:
                ticket.party, ticket.connection = [ticket], self._idle.pop() or _connect()
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
        """Make the call for a party, wake its members, and hand the connection to those who came meanwhile."""
        connection = leader.connection
        assert connection is not None
        with self._mutex:
            party = leader.party = self._gather(leader.party)
        is_written = False
        try:
            is_written = self._call(connection, [ticket.given for ticket in party])
        except Error:
            # A connection that broke must not meet the next party.
            connection.close_if_unusable_or_obsolete()
            if len(party) == 1:
                raise
        finally:
            with self._mutex:
                following = self._gather([])
                if not following:
                    self._idle.append(connection)
            if following:
                following[0].party, following[0].connection = following, connection
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


def _connect() -> BaseDatabaseWrapper:
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    connection.inc_thread_sharing()
    return connection
