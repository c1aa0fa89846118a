import pytest
from django.core.cache import cache
from django.test import override_settings

from merchant_platform.kernel import tries

BOUND = {"limit": 3, "seconds": 60}


@pytest.fixture(autouse=True)
def fresh():
    cache.clear()


class TestCount:
    def test_lets_so_many_through_and_no_more(self):
        for _ in range(3):
            tries.count("guess", "someone", **BOUND)
        tries.count("guess", "someone else", **BOUND)

        with pytest.raises(tries.TooManyTries) as refused:
            tries.count("guess", "someone", **BOUND)

        assert refused.value.details == {"retry_after": 60}

    def test_does_not_count_who_was_right(self):
        for _ in range(10):
            with tries.guess("guess", "someone", **BOUND):
                pass

    def test_counts_who_was_wrong_and_takes_back_nothing_else(self):
        for _ in range(3):
            with tries.guess("guess", "someone", **BOUND) as made:
                made.is_wrong = True

        for _ in range(3):
            with pytest.raises(tries.TooManyTries), tries.guess("guess", "someone", **BOUND):
                raise AssertionError("the answer was looked up")

    def test_says_that_it_cannot(self):
        broken = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
        with override_settings(CACHES={"default": broken}), pytest.raises(tries.CannotCount):
            tries.count("guess", "someone", **BOUND)


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::7", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_network_is_one_guesser(address, who):
    assert tries.network(address) == who
