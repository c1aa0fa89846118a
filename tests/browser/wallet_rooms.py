"""What rooms of members bring to the wallet, each kind once: for pages that must bear all of them."""

from datetime import datetime

from members.portal.port import COUPON, MEMBERSHIP, POINTS, STORED_VALUE, Card, Holding, Viewer


def cards(viewer: Viewer, now: datetime) -> list[Card]:
    return [
        card
        for place in viewer.places
        for card in (
            Card(place.book, MEMBERSHIP, "28000417", ["2026-03-02"], code="28000417"),
            Card(place.book, POINTS, "1,240", ["★★ 60 / 100"], percent=60),
            Card(place.book, STORED_VALUE, "•••• 4821", ["¥80.00"]),
            Card(place.book, COUPON, "−10 %", [], code="SPRING-10"),
        )
    ]


def holdings(viewer: Viewer, now: datetime) -> list[Holding]:
    return [
        Holding("28000417", 1_240, "PTS.x/0", "points", unit_name="★", merchant=place.book.merchant.name)
        for place in viewer.places
    ]
