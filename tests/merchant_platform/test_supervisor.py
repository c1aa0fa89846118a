"""What the supervisor does about services that die, by a clock of its own."""

import pytest

from merchant_platform.embedded import processes, supervisor
from merchant_platform.embedded.supervisor import KeepsDying, Supervisor


class Mortal:
    """A service that lives only for the moment of its start."""

    name, is_running, exit_code = "web", False, -9

    def __init__(self, log):
        self.log = log
        self.starts_count = 0

    def start(self):
        self.starts_count += 1

    def stop(self):
        pass


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def said():
    return []


@pytest.fixture
def service(tmp_path):
    return Mortal(tmp_path / "web.log")


@pytest.fixture
def watched(said, service):
    watched = Supervisor(say=said.append)
    watched.start(service)
    return watched


class TestLookAfter:
    def test_starts_again_after_a_pause_and_says_so(self, watched, service, clock, said):
        watched.look_after()
        assert service.starts_count == 1

        clock[0] += 0.5
        watched.look_after()

        assert service.starts_count == 2
        assert said == [f"web ended unexpectedly (signal SIGKILL) and is started again: {service.log}"]

    def test_gives_up_at_the_fifth_end_within_a_minute(self, watched, service, clock):
        def look_on():
            for _ in range(100):
                watched.look_after()
                clock[0] += 0.5

        with pytest.raises(KeepsDying, match="web ended 5 times within a minute"):
            look_on()

        assert service.starts_count == 5

    def test_goes_on_where_the_ends_are_far_apart(self, watched, service, clock):
        for _ in range(20):
            watched.look_after()
            clock[0] += 30

        assert service.starts_count == 11

    def test_moves_a_long_log_aside(self, watched, service, clock, monkeypatch):
        monkeypatch.setattr(processes, "LOG_BYTES_MAX", 10)
        service.log.write_text("many words of a long life")

        watched.look_after()

        assert service.log.read_text() == ""
        assert service.log.with_name("web.log.1").read_text() == "many words of a long life"
