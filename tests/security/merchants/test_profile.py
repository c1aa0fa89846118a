import pytest

from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.versions import ChangedMeanwhile
from security.merchants import profile
from security.merchants.models import Merchant

pytestmark = pytest.mark.django_db


def update(merchant, **change):
    fields = {"name": "Café Moka", "time_zone": "Asia/Shanghai", "language": "zh-hans", "seen": None}
    return profile.update(merchant_id=merchant.pk, **(fields | change))


class TestUpdate:
    def test_writes_all_of_it(self, merchant):
        assert merchant.language == "zh-hans"

        update(merchant, name="Moka", time_zone="Europe/Paris", language="en", seen=merchant.version)

        row = Merchant.objects.get(pk=merchant.pk)
        assert (row.name, row.time_zone, row.language) == ("Moka", "Europe/Paris", "en")

    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"time_zone": "Mars/Olympus"}, "time_zone"),
            ({"time_zone": "../etc/passwd"}, "time_zone"),
            ({"language": "fr"}, "language"),
        ],
    )
    def test_refuses_what_is_none(self, merchant, change, param):
        with pytest.raises(Invalid) as refused:
            update(merchant, name="Other", **change)

        assert refused.value.param == param
        assert Merchant.objects.get(pk=merchant.pk).name == "Café Moka"

    def test_refuses_what_somebody_changed_meanwhile(self, merchant):
        update(merchant, name="First")

        with pytest.raises(ChangedMeanwhile):
            update(merchant, name="Second", seen=merchant.version)
