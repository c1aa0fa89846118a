"""A shop's points programme. What its members bought before earns by the back-fill, like anybody's earlier orders."""

from members.loyalty import operations, runs
from members.loyalty.models import Run
from merchant_platform.demo.stage import Stage
from payments.origin import Origin
from security.merchants.models import TEST

NAME = {"zh-hans": "豆子积分", "en": "Book points"}
BUDGET = 50_000
# A point for each yuan, a hundred of them worth one; tiers by what was spent in half a year.
TERMS = {
    "rules": [
        {"kind": "spend", "points": 1, "per_minor": 100},
        {"kind": "first", "points": 50},
        {"kind": "hour", "percent": 150, "from": 14, "to": 17, "weekdays": [0, 1, 2, 3, 4]},
        {"kind": "birthday", "percent": 200},
        {"kind": "tier", "tier": "silver", "percent": 110},
        {"kind": "tier", "tier": "gold", "percent": 125},
    ],
    "tiers": [
        {"key": "silver", "name": "银卡", "threshold": 50_000, "benefits": ["生日饮品一杯"]},
        {"key": "gold", "name": "金卡", "threshold": 200_000, "benefits": ["生日饮品一杯", "每月免费升杯"]},
    ],
    "tier_days": 180,
    "redeem_points": 100,
    "redeem_minor": 100,
}


def start(stage: Stage) -> None:
    """Start the programme and begin the back-fill, in the open unit of work; the workers go on with it."""
    programme = operations.start(
        name=NAME.get(stage.merchant.language, NAME["zh-hans"]),
        currency=stage.currency,
        given=TERMS,
        mode=TEST,
        now=stage.now,
        origin=Origin(livemode=False),
    )
    operations.set_budget(programme_id=programme.pk, points=BUDGET, reference="demo", now=stage.now)
    runs.begin(programme_id=programme.pk, kind=Run.BACKFILL, now=stage.now)
