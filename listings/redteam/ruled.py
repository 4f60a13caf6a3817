"""What an attacker gains before the heavy checks: the views that the site's own ruling and cap leave to a listing."""

from __future__ import annotations

from collections.abc import Sequence

from listings import contact_details, gate, live_models
from listings.content import Fields
from listings.models import Verdict
from listings.trust import exposure, rules, settings
from listings.trust.tiers import Tier


@live_models.published_alone()
def views(fields: Fields, of_photos: Sequence[Verdict] = ()) -> int:
    """At most so many before its heavy checks; 0 where it is checked in full first. `of_photos`: the gate's verdicts,
    each with its photo. For the worst case: of a trusted seller, in a category that is open, with a device that claims
    what the gate finds, and light checks that were made at once."""
    terms = {name: setting.default for name, setting in settings.ALL.items()} | {"debts": 1}
    photos = [verdict.photo for verdict in of_photos if verdict.photo]
    verdicts = [*gate.run_gate(fields), *of_photos]
    grounds = [*rules.by_gate(photos, verdicts, terms), *rules.by_place([], photos, verdicts, terms)]
    if grounds or contact_details.find(fields):
        return 0
    return exposure.cap(Tier.TRUSTED, True, terms)
