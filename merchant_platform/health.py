"""Liveness and readiness, for supervisors and load balancers."""

from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from payments.ledger import checkpoints


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """The process can do its work: database, migrations, ledger, Valkey. 503 with what is missing otherwise."""
    problems = {name: problem for name, check in _CHECKS.items() if (problem := check())}
    return JsonResponse({"status": "not ready", **problems} if problems else {"status": "ready"},
                        status=503 if problems else 200)  # fmt: skip


def _database() -> str | None:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
    except DatabaseError:
        connections["default"].close()
        return "the database does not answer"
    return None if _expected_migrations() <= applied else "migrations are missing: manage.py migrate --database owner"


def _ledger() -> str | None:
    try:
        is_foreign = checkpoints.is_foreign_cluster()
    except DatabaseError:
        return "the ledger cannot be read"
    return "the ledger was restored into another cluster: manage.py ledger rebase" if is_foreign else None


def _valkey() -> str | None:
    try:
        _server().ping()
    except redis.RedisError:
        return "Valkey does not answer"
    return None


@cache
def _server() -> redis.Redis:
    # No second try: readiness says how it is now.
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, retry=Retry(NoBackoff(), 0))


@cache
def _expected_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


_CHECKS = {"database": _database, "ledger": _ledger, "valkey": _valkey}
