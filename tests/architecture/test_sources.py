"""What the sources never say: the time in a room, a float of money, a signal, a name that names nothing."""

import ast
from pathlib import PurePosixPath

import pytest

from tests.architecture.asking import APPS, ROOT, dotted, sources

# Doors are given a request and read the clock for it.
DOORS = {"api", "web", "management"}
DOOR_FILES = {"tasks.py"}
# Keys, limits and logins live in the world's time.
WALL_TIME = {
    # The age of files, and how long whoever makes a report may take.
    "analytics/reports/files.py",
    "analytics/reports/working.py",
    "security/audit/operations.py",
    "security/credentials/authentication.py",
    "security/credentials/limits.py",
    "security/identity/models.py",
    # A provider's signatures; the acquirer is another company's machine.
    "payments/providers/sandbox/wire.py",
    "payments/providers/sandbox/client.py",
    "payments/providers/sandbox/acquirer/bank.py",
    "payments/providers/sandbox/acquirer/notices.py",
    "payments/providers/sandbox/acquirer/server.py",
    # Deadlines of requests, and the time that an answer names.
    "payments/webhooks/sending.py",
}
# A book's own property, which doors read.
BOOKS_TIME = {"security/merchants/models.py"}
CLOCKS = {
    "clock.wall",
    "clock.effective",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "datetime.datetime.now",
    "date.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "timezone.now",
    "timezone.localtime",
    "localtime",
    "wall",
    "effective",
}
MONEY = (
    "merchant_platform/kernel/money.py",
    "payments/catalog/",
    "payments/intents/",
    "payments/ledger/",
    "payments/methods/",
    "payments/orders/",
    "payments/pricing/",
    "payments/wallets/",
)
FLOATS = {"float", "models.FloatField", "FloatField", "math.ceil", "math.floor", "round"}


def is_room(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return not DOORS & set(parts) and parts[-1] not in DOOR_FILES


def rooms() -> list[tuple[str, ast.Module]]:
    return [(path, tree) for path, tree in sources("payments", "security", "members", "analytics") if is_room(path)]


def found(node: ast.AST, path: str, what: str) -> str:
    return f"{path}:{getattr(node, 'lineno', 0)} {what}"


class TestRooms:
    def test_are_read_at_all(self):
        paths = {path for path, _ in rooms()}

        assert {"payments/intents/operations.py", "security/merchants/operations.py"} <= paths
        assert "payments/tasks.py" not in paths
        assert "payments/api/orders.py" not in paths

    def test_read_no_clock(self):
        asked = [
            found(node, path, dotted(node))
            for path, tree in rooms()
            if path not in WALL_TIME | BOOKS_TIME
            for node in ast.walk(tree)
            if isinstance(node, ast.Name | ast.Attribute) and dotted(node) in CLOCKS
        ]

        assert asked == []

    def test_let_the_database_stamp_nothing_but_when_it_was_recorded(self):
        stamped = []
        for path, tree in rooms():
            fields = {
                id(node.value): target.id
                for node in ast.walk(tree)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(tree):
                if not isinstance(node, ast.Call):
                    continue
                for keyword in node.keywords:
                    if keyword.arg in ("auto_now", "auto_now_add"):
                        stamped.append(found(node, path, keyword.arg))
                    if isinstance(keyword.value, ast.Call) and dotted(keyword.value.func) == "Now":
                        stamped.append(f"{path} {fields.get(id(node))}")

        assert stamped == [
            "payments/ledger/models.py recorded_at",
            "payments/ledger/models.py taken_at",
            "security/audit/models.py recorded_at",
            *["analytics/facts/models.py recorded_at"] * 3,
        ]

    def test_know_no_http(self):
        imported = [
            found(node, path, name)
            for path, tree in rooms()
            if path != "security/credentials/authentication.py" and path != "security/credentials/limits.py"
            for node in ast.walk(tree)
            for name in _imported(node)
            if name.startswith(("django.http", "django.shortcuts", "django.urls", "rest_framework", "requests"))
        ]

        assert imported == []

    def test_put_no_logic_into_save(self):
        overridden = [
            found(node, path, node.name)
            for path, tree in rooms()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name in ("save", "delete", "full_clean")
            if node.args.args and node.args.args[0].arg == "self"
        ]

        assert overridden == []

    def test_say_what_each_public_operation_does(self):
        silent = [
            found(node, path, node.name)
            for path, tree in rooms()
            if path.endswith(("operations.py", "queries.py", "refunds.py"))
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
        ]

        assert silent == []


class TestMoney:
    def test_is_never_a_float(self):
        floats = [
            f"{path} {ast.unparse(node)}"
            for path, tree in sources("merchant_platform/kernel", "payments")
            if path.startswith(MONEY)
            for node in ast.walk(tree)
            if _is_float(node)
        ]

        assert floats == []


class TestEverywhere:
    def test_catches_what_nobody_expected_where_one_of_many_must_not_stop_the_rest(self):
        broad = {
            path
            for path, tree in sources(*APPS)
            for node in ast.walk(tree)
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or dotted(node.type) in ("Exception", "BaseException"))
        }

        assert broad == {
            "analytics/reports/working.py",
            "members/importing/operations.py",
            "merchant_platform/kernel/api/wsgi.py",
            "merchant_platform/kernel/events/relay.py",
            "merchant_platform/kernel/request_log/buffer.py",
            "merchant_platform/kernel/web/uploads.py",  # a picture: its reader's errors have no common kind
            "merchant_platform/management/commands/relay.py",
            "payments/bulk/operations.py",
            "payments/intents/sweep.py",
            "payments/management/commands/courier.py",
            "payments/webhooks/courier.py",
            "security/approvals/operations.py",
        }

    def test_sends_and_receives_no_signal_of_django(self):
        signals = [
            found(node, path, name)
            for path, tree in sources(*APPS)
            for node in ast.walk(tree)
            for name in _imported(node)
            if name.startswith(
                ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.db.backends.signals")
            )
        ]

        assert signals == []

    def test_names_every_module_after_what_it_holds(self):
        vague = [
            path
            for path, _ in sources(*APPS, "tests")
            if {PurePosixPath(path).stem, *PurePosixPath(path).parts[:-1]}
            & {"utils", "util", "helpers", "helper", "common", "services", "misc", "base", "lib"}
        ]

        assert vague == []

    @pytest.mark.parametrize("app", APPS)
    def test_is_a_package_with_a_line_about_itself(self, app):
        tree = ast.parse((ROOT / app / "__init__.py").read_text())

        assert ast.get_docstring(tree)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return []


def _is_float(node: ast.AST) -> bool:
    return (
        (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name | ast.Attribute) and dotted(node) in FLOATS)
    )
