"""What points say on a member's page at the desk."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from members.directory.models import Member
from members.directory.ports import Panel
from members.loyalty import queries
from merchant_platform.kernel import ids
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale


def panel(*, member: Member, now: datetime) -> Panel | None:
    """The member's points and tier in the programme they have most in; None where they have none."""
    found = [(each, queries.balance(member.pk, each)) for each in queries.programmes(active=True)]
    if not found:
        return None
    programme, held = max(found, key=lambda each: (each[1].available + each[1].pending, each[0].pk))
    tier = queries.tier(member.pk, programme, now=now)
    facts = [(_("To spend"), f"{held.available:,}"), (pgettext("of points", "Pending"), f"{held.pending:,}")]
    if held.debt:
        facts.append((_("Owed"), f"{held.debt:,}"))
    zone = queries.zone(programme)
    if held.on is not None:
        facts.append((_("Expiring next"), f"{held.expiring_next:,} · {held.on.astimezone(zone).date()}"))
    if tier.name:
        facts.append((_("Tier"), tier.name))
    if tier.until is not None:
        facts.append((_("Kept until"), str(tier.until.astimezone(zone).date())))
    if tier.missing is not None:
        missing = (
            Money(tier.missing, programme.currency).text(locale()) if tier.measure == "spend" else f"{tier.missing:,}"
        )
        facts.append((_("Missing for {name}").format(name=tier.next_name), missing))
    return Panel(_("Points"), facts, page=("member_points", "member", ids.show("mem", member.pk)))
