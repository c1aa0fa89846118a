"""`manage.py up`, behind `make run`: the whole platform on one machine, until Ctrl-C.

The servers come first, then the database's shape and the demo world, then the processes;
the end goes the other way: web, worker, beat, courier, relay, acquirer, Valkey, Postgres.
"""

import http.client
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from merchant_platform.embedded import Acquirer, Postgres, ServerTrouble, Valkey
from merchant_platform.embedded.kept import Damaged, Kept, prepare_data_dir
from merchant_platform.embedded.processes import GENTLY, Process, complaint, rotate, wait_until
from merchant_platform.embedded.start import MARK, CannotRun, alone, end_left_overs, given_environment, refuse_busy_port
from merchant_platform.embedded.supervisor import KeepsDying, StopRequested, Supervisor

READY_SECONDS_MAX = 120
QUEUES = "money,delivery,reports,marketing"


class Command(BaseCommand):
    help = "Run the whole platform: Postgres, Valkey, web, worker, beat, relay, courier and acquirer, in one command."
    # The steps below check, each in a process of its own that has the database.
    requires_system_checks = []

    def handle(self, *args, **options) -> None:
        self.supervisor = Supervisor(say=self._say)
        self.supervisor.listen()
        self.data_dir: Path = settings.DATA_DIR
        self.given = given_environment()
        self.host = self.given.get("HOST", "127.0.0.1")
        try:
            prepare_data_dir(self.data_dir)
            with alone(self.data_dir), self._everything_stopped_at_the_end():
                self._run()
        except StopRequested:
            return
        except (CannotRun, Damaged, KeepsDying, ServerTrouble) as error:
            self._give_up(str(error))
        except OSError as error:
            self._give_up(f"{error.filename or self.data_dir} cannot be used: {error.strerror}.")

    def _give_up(self, sentence: str) -> None:
        """A signal to the whole group can reach a child in the instant of its birth: then its end is no trouble."""
        if not self.supervisor.is_asked_to_stop:
            sys.exit(sentence)

    def _run(self) -> None:
        end_left_overs(self.data_dir)
        refuse_busy_port(self.host, settings.PORT)
        environment = self._start_servers()
        self._write_run_env(environment)
        self._say("Preparing the database ...")
        self._step("prepare", environment)
        if self._wants_demo:
            self._say("Preparing the demo world ...")
            self._step("demo", environment)
        for child in self._children(environment):
            rotate(child.log)
            self.supervisor.start(child)
        self._wait_until_ready()
        self._say(self._welcome(environment))
        self.supervisor.watch()

    @contextmanager
    def _everything_stopped_at_the_end(self) -> Iterator[None]:
        run_env = self.data_dir / "run.env"
        run_env.unlink(missing_ok=True)
        try:
            yield
        finally:
            if self.supervisor.has_services:
                self._say("Stopping ...")
            self.supervisor.stop()
            run_env.unlink(missing_ok=True)

    def _start_servers(self) -> dict[str, str]:
        """The environment of every child: what the person gave, and the addresses of what we started."""
        kept = Kept(self.data_dir / "secrets.json")
        environment = {
            "DJANGO_SETTINGS_MODULE": "merchant_platform.settings",
            "PYTHONUNBUFFERED": "1",
            "PUBLIC_URL": f"http://localhost:{settings.PORT}",
            **{name: value for name, value in self.given.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")},
            "DATA_DIR": str(self.data_dir),
            MARK: str(self.data_dir),
        }
        if not self.given.get("DATABASE_URL"):
            self._say("Starting Postgres ...")
            postgres = Postgres(self.data_dir, pause=self.supervisor.pause)
            self.supervisor.start(postgres)
            environment["DATABASE_URL"] = postgres.url()
            environment["DATABASE_APP_URL"] = postgres.url("merchant_app")
            environment["DATABASE_PLATFORM_URL"] = postgres.url("merchant_platform")
        if not self.given.get("REDIS_URL"):
            self._say("Starting Valkey ...")
            valkey = Valkey(self.data_dir, pause=self.supervisor.pause)
            self.supervisor.start(valkey)
            environment["REDIS_URL"] = valkey.url
        environment["SECRET_KEY"] = self.given.get("SECRET_KEY") or kept.secret("SECRET_KEY")
        environment["VAULT_KEYS"] = self.given.get("VAULT_KEYS") or kept.vault_keys()
        if not self.given.get("SANDBOX_ACQUIRER_URL"):
            self._say("Starting the sandbox acquirer ...")
            acquirer = Acquirer(
                self.data_dir, environment=environment, checkout=settings.BASE_DIR, pause=self.supervisor.pause
            )
            self.supervisor.start(acquirer)
            environment["SANDBOX_ACQUIRER_URL"] = acquirer.url
            environment["SANDBOX_ACQUIRER_SECRET"] = acquirer.secret
        return environment

    def _write_run_env(self, environment: dict[str, str]) -> None:
        """settings.py reads this file, so that manage.py in another shell speaks with the running platform."""
        names = (
            *("DATABASE_URL", "DATABASE_APP_URL", "DATABASE_PLATFORM_URL", "REDIS_URL", "PUBLIC_URL"),
            *("SECRET_KEY", "VAULT_KEYS", "SANDBOX_ACQUIRER_URL", "SANDBOX_ACQUIRER_SECRET"),
        )
        path = self.data_dir / "run.env"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name}={environment[name]}\n" for name in names if name in environment)

    def _step(self, name: str, environment: dict[str, str]) -> None:
        """This will run one manage.py command to its end. Raises CannotRun where it fails."""
        step = self._process(name, environment, "manage.py", name)
        rotate(step.log)
        step.start()
        try:
            while step.is_running:
                self.supervisor.pause(1.0)
        finally:
            step.stop()
        if step.exit_code != 0:
            raise CannotRun(f"`manage.py {name}` failed: {complaint(step.log)} Its log is {step.log}.")

    def _children(self, environment: dict[str, str]) -> list[Process]:
        """In the order of their start; they end in the opposite one."""
        celery = ("-m", "celery", "-A", "merchant_platform")
        return [
            self._process("relay", environment, "manage.py", "relay"),
            self._process("courier", environment, "manage.py", "courier"),
            # Beat's own pid file would outlive a kill -9 and keep the next beat from starting.
            self._process(
                *("beat", environment, *celery, "beat", "--loglevel", "INFO"),
                *("--schedule", str(self.data_dir / "beat-schedule"), "--pidfile", ""),
            ),
            # Prefork, because only a pool of processes can end a task at its time limit. One worker
            # has nobody to gossip with, and silence costs no wake-ups.
            self._process(
                *("worker", environment, *celery, "worker", "--loglevel", "INFO"),
                *("--queues", QUEUES, "--pool", "prefork", "--concurrency", "1"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ),
            self._process(
                *("web", environment, "-m", "granian", "--interface", "wsgi", "merchant_platform.wsgi:application"),
                *("--host", self.host, "--port", str(settings.PORT), "--http", "1", "--no-ws"),
                *("--workers", self.given.get("WEB_WORKERS") or str(min(2, os.cpu_count() or 1))),
                # A few threads a process: while one waits for a commit, or for a provider to answer, the
                # others work, and their payments wait for the next commit together. What comes
                # meanwhile queues here, and beyond that in the kernel.
                *("--blocking-threads", "8", "--backpressure", "128", "--backlog", "1024"),
                # An idle thread keeps its connection to the database.
                *("--blocking-threads-idle-timeout", "600"),
                *("--no-access-log", "--respawn-failed-workers", "--workers-kill-timeout", "5"),
            ),
        ]

    def _process(self, name: str, environment: dict[str, str], *words: str) -> Process:
        return Process(
            name,
            [sys.executable, *words],
            log=self.data_dir / "log" / f"{name}.log",
            environment=environment,
            directory=settings.BASE_DIR,
            ending=GENTLY,
        )

    def _wait_until_ready(self) -> None:
        def is_ready() -> bool:
            self.supervisor.look_after()
            return self._ask("/readyz") == 200

        if not wait_until(is_ready, seconds=READY_SECONDS_MAX, pause=self.supervisor.pause):
            raise CannotRun(
                f"The web server was not ready within {READY_SECONDS_MAX} seconds: see {self.data_dir / 'log'}."
            )

    def _ask(self, path: str) -> int:
        """The HTTP status of one of our own pages, 0 where nobody answers."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 (compared, not bound)
        connection = http.client.HTTPConnection(host, settings.PORT, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": _allowed_host()})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _welcome(self, environment: dict[str, str]) -> str:
        address = environment["PUBLIC_URL"].rstrip("/")
        lines = [f"\nThe platform runs at {address}, its guide for integrators is {address}/docs"]
        demo = self.data_dir / "demo.json"
        if self._wants_demo and demo.exists():
            lines += readable(demo)
        lines.append(f"Logs are in {self.data_dir / 'log'}. Ctrl-C stops everything.")
        return "\n".join(lines)

    @property
    def _wants_demo(self) -> bool:
        return self.given.get("DEMO", "1").lower() not in ("0", "no", "false", "off")

    def _say(self, text: str) -> None:
        try:
            print(text, flush=True)  # noqa: T201 (the terminal is where this command speaks)
        except OSError:
            # The terminal was closed: go on, or go on stopping, without words.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _allowed_host() -> str:
    """A name under which the web server may be asked, whatever names the person allows."""
    first = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else ""
    return "localhost" if first in ("", "*") else first


def readable(path: Path) -> list[str]:
    """The keys and the logins of the demo world, a line each; its file has the rest."""
    demo = json.loads(path.read_text())
    keys = [(name.replace("_", " "), str(value)) for name, value in demo.items() if name.endswith("_key")]
    staff = [("staff", "  ".join(map(str, login.values()))) for login in demo.get("staff", [])]
    return [f"  {name:<18}{value}" for name, value in (*keys, *staff)] + [f"  {'more':<18}{path}"]
