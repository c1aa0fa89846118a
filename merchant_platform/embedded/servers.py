"""What the embedded servers share: an account, a port, a password, a log and a process."""

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from merchant_platform.embedded.kept import Damaged, Kept, prepare_data_dir
from merchant_platform.embedded.processes import Account, Pause, Process, last_line, launching, rotate

# A server needs nothing of our environment, and PGDATA or LD_LIBRARY_PATH in it would lead it astray.
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}


class ServerTrouble(Exception):
    """A server cannot run; the text is one sentence for a person."""


class Server:
    """One embedded server in a folder of DATA_DIR. Subclasses say what to start and when it is ready."""

    name: str
    ending: Iterable[tuple[signal.Signals, float]]

    def __init__(self, data_dir: Path | str, *, pause: Pause = time.sleep) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.folder = self.data_dir / self.name
        self.log = self.data_dir / "log" / f"{self.name}.log"
        self.secrets = Kept(self.data_dir / "secrets.json")
        self._ports = Kept(self.data_dir / "ports.json")
        self._pause = pause
        self._process: Process | None = None

    @property
    def port(self) -> int:
        """The port of the last start."""
        return int(self._ports.read().get(self.name, 0))

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    @property
    def exit_code(self) -> int | None:
        return self._process.exit_code if self._process else None

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def _prepare(self, program: Path) -> None:
        """This will make the folders of DATA_DIR and settle who runs the server."""
        if not program.is_file():
            raise ServerTrouble(f"{program} is missing: run `make setup`.")
        prepare_data_dir(self.data_dir)
        rotate(self.log)
        self.account = self._account()

    def _account(self) -> Account | None:
        """Ourselves, or as root an account without privileges: Postgres refuses to run as root."""
        if os.geteuid() != 0:
            return None
        owner = self.folder.stat().st_uid if self.folder.exists() else 0
        for known in (owner, "postgres", "nobody"):
            try:
                user = pwd.getpwuid(known) if isinstance(known, int) else pwd.getpwnam(known)
            except KeyError:
                continue
            if user.pw_uid != 0:
                return Account(user.pw_uid, user.pw_gid)
        raise ServerTrouble("Postgres does not run as root, and there is no user `postgres` or `nobody` to run it as.")

    def _let_through(self, *, program: Path, read: Path, write: Path) -> None:
        """This will let the account pass the folders above the programs and the data where they are closed to it."""
        if self.account is None:
            return
        question = ["sh", "-c", 'test -x "$1" && test -r "$2" && test -w "$3"', "sh", program, read, write]
        for closed in (False, True):
            self.account = Account(self.account.uid, self.account.gid, passes_closed_folders=closed)
            asked = subprocess.run(
                **launching([str(word) for word in question], account=self.account),
                cwd="/",
                env=ENVIRONMENT,
                capture_output=True,
            )
            if asked.returncode == 0:
                return
        name = pwd.getpwuid(self.account.uid).pw_name
        raise ServerTrouble(
            f"As root the servers run as the user {name}, who cannot reach {program.parent} and {write}: "
            "install util-linux for setpriv, or keep the checkout where that user may go, such as /opt."
        )

    def _own(self, path: Path) -> None:
        """This will make the folder and give it, with all in it, to the account."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.account and path.stat().st_uid != self.account.uid:
            for folder, _, files in os.walk(path):
                for inside in (folder, *(os.path.join(folder, file) for file in files)):
                    os.chown(inside, self.account.uid, self.account.gid, follow_symlinks=False)

    def _write(self, path: Path, text: str) -> Path:
        """This will write a file that only the account reads."""
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)
        return path

    def _launch(self, command: list[str]) -> None:
        self._process = Process(
            self.name,
            command,
            log=self.log,
            environment=ENVIRONMENT,
            directory=self.folder,
            ending=self.ending,
            account=self.account,
        )
        self._process.start()

    def _choose_port(self) -> int:
        """The remembered port, or a free one where another program has taken it."""
        remembered = self.port
        if remembered and is_free(remembered):
            return remembered
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(self._ports.write(self.name, str(probe.getsockname()[1])))

    def _trouble(self, what: str, *markers: str) -> ServerTrouble:
        complaint = last_line(self.log, *markers)
        return ServerTrouble(f"{what}{f' ({complaint})' if complaint else ''}; its log is {self.log}.")


@contextmanager
def sentences(folder: Path) -> Iterator[None]:
    """This will turn what the file system refuses into a sentence."""
    try:
        yield
    except Damaged as error:
        raise ServerTrouble(str(error)) from error
    except OSError as error:
        raise ServerTrouble(f"{error.filename or folder} cannot be used: {error.strerror}.") from error


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # As servers do: a port that only closed connections still remember counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def runs_in(pid: int, folder: Path) -> bool:
    """Whether that process lives and works in that folder: an id is used again, and the dead keep theirs."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == folder.resolve()
    except OSError:
        return False
