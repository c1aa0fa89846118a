"""The embedded servers: what they keep, what they survive, and what they say where they cannot run."""

import os
import shutil
import signal
import socket
import stat
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from merchant_platform.embedded import Postgres, ServerTrouble, Valkey
from merchant_platform.embedded import postgres as postgres_module
from merchant_platform.embedded.servers import runs_in


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster that was started, filled with one row and stopped: each test takes a copy."""
    data_dir = tmp_path_factory.mktemp("cluster")
    postgres = Postgres(data_dir, durable=False)
    postgres.start()
    run(postgres, "CREATE DATABASE merchant", database="postgres")
    run(postgres, "CREATE TABLE kept AS SELECT 'a row' AS word")
    postgres.stop()
    return data_dir


@pytest.fixture
def data_dir(cluster, tmp_path):
    """A copy as one puts back a backup: its files belong to whoever copied."""
    return Path(shutil.copytree(cluster, tmp_path / "data"))


@pytest.fixture
def start(data_dir):
    """Starts a Postgres in the copy; whatever is started ends with the test."""
    started = []

    def start_one(*, durable: bool = False) -> Postgres:
        postgres = Postgres(data_dir, durable=durable)
        started.append(postgres)
        postgres.start()
        return postgres

    yield start_one
    for postgres in started:
        postgres.stop()


def run(postgres: Postgres, statement: str, *, database: str = "merchant") -> list:
    with closing(psycopg2.connect(postgres.url(database=database))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def wait_for(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited for a minute"
        time.sleep(0.05)


class TestPostgres:
    def test_keeps_its_rows_and_its_port(self, start):
        first = start()
        port = first.port
        first.stop()

        second = start()

        assert second.port == port
        assert run(second, "SELECT word FROM kept") == [("a row",)]

    def test_gives_the_platform_an_owner_without_superuser_rights(self, start):
        postgres = start()

        rights = run(
            postgres,
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user",
        )

        assert rights == [(False, False, True, True)]

    def test_sorts_and_reads_letters_alike_on_every_machine(self, start):
        postgres = start()

        collation = run(
            postgres, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        )

        assert collation == [("b", "C.UTF-8")]

    def test_keeps_passwords_to_its_user(self, start, data_dir):
        start()

        assert stat.S_IMODE((data_dir / "secrets.json").stat().st_mode) == 0o600

    def test_refuses_a_connection_without_the_password(self, start):
        postgres = start()

        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(host="127.0.0.1", port=postgres.port, user="postgres", password="guess", dbname="postgres")

    def test_loses_no_commit_to_kill_9(self, start):
        killed = start(durable=True)
        run(killed, "CREATE TABLE late AS SELECT 1 AS number")
        os.kill(killed.pid, signal.SIGKILL)

        recovered = start()

        assert run(recovered, "SELECT number FROM late") == [(1,)]

    def test_ends_a_server_that_outlived_its_supervisor(self, start, data_dir):
        outlived = start()

        start()

        assert not runs_in(outlived.pid, data_dir / "postgres")

    def test_does_not_trust_a_process_id_that_went_to_another(self, start, data_dir):
        (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir}\n")

        postgres = start()

        assert run(postgres, "SELECT word FROM kept") == [("a row",)]

    def test_takes_another_port_where_its_own_is_taken(self, start):
        first = start()
        taken = first.port
        first.stop()
        with socket.create_server(("127.0.0.1", taken)):
            second = start()

        assert second.port != taken
        assert run(second, "SELECT word FROM kept") == [("a row",)]

    def test_puts_the_socket_elsewhere_where_the_path_is_too_long(self, tmp_path, data_dir):
        far = tmp_path / ("far" * 40)
        data_dir.rename(far)
        postgres = Postgres(far, durable=False)
        postgres.start()
        sockets = postgres._sockets
        assert sockets

        postgres.stop()

        assert sockets.parent == Path("/tmp")
        assert not sockets.exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
    def test_runs_for_root_from_a_closed_folder(self, tmp_path, monkeypatch):
        tmp_path.chmod(0o700)
        package = postgres_module._programs().parents[1]
        for folder in (package, package.with_suffix(".libs")):
            shutil.copytree(folder, tmp_path / folder.name)
        programs = tmp_path / package.name / "pginstall" / "bin"
        monkeypatch.setattr(postgres_module, "_programs", lambda: programs)
        postgres = Postgres(tmp_path / "data", durable=False)

        postgres.start()

        try:
            status = Path(f"/proc/{postgres.pid}/status").read_text()
            assert os.readlink(f"/proc/{postgres.pid}/exe") == str(programs / "postgres")
            assert "Uid:\t0" not in status
            # CAP_DAC_OVERRIDE and nothing else.
            assert "CapEff:\t0000000000000002" in status
            assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        finally:
            postgres.stop()


class TestPostgresTrouble:
    @pytest.mark.parametrize(
        ("damage", "sentence"),
        [
            (lambda folder: (folder / "postgres" / "PG_VERSION").unlink(), "not a whole Postgres data directory"),
            (lambda folder: (folder / "postgres" / "PG_VERSION").write_text("15\n"), "written by Postgres 15"),
            (lambda folder: (folder / "postgres" / "global" / "pg_control").unlink(), "did not start"),
            (lambda folder: (folder / "secrets.json").unlink(), "put back a copy"),
            (lambda folder: (folder / "secrets.json").write_text("{"), "is damaged"),
            (lambda folder: (folder / "secrets.json").write_text('{"postgres": "other"}'), "does not accept"),
        ],
    )
    def test_is_one_sentence(self, start, data_dir, damage, sentence):
        damage(data_dir)

        with pytest.raises(ServerTrouble) as trouble:
            start()

        assert sentence in str(trouble.value)
        assert "\n" not in str(trouble.value)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_is_one_sentence_where_the_folder_is_closed(self, start, data_dir):
        (data_dir / "postgres").chmod(0)

        with pytest.raises(ServerTrouble, match="Permission denied"):
            start()

        (data_dir / "postgres").chmod(0o700)


class TestValkey:
    def test_answers_its_password_alone(self, tmp_path):
        valkey = Valkey(tmp_path)
        valkey.start()

        with redis.Redis.from_url(valkey.url) as client:
            assert client.ping()
        with socket.create_connection(("127.0.0.1", valkey.port)) as stranger:
            stranger.sendall(b"PING\r\n")
            assert stranger.recv(100).startswith(b"-NOAUTH")
        valkey.stop()
        assert not valkey.is_running

    def test_ends_a_server_that_outlived_its_supervisor(self, tmp_path):
        outlived, valkey = Valkey(tmp_path), Valkey(tmp_path)
        outlived.start()

        valkey.start()

        wait_for(lambda: not outlived.is_running)
        assert valkey.is_running
        valkey.stop()
