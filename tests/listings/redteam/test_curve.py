"""The curve of the attacker on text: what each stage stops, and the listings that it is drawn from."""

import random
from dataclasses import replace

import pytest

from listings.models import Photo, Verdict
from listings.redteam import attack, curve, ruled
from models import text
from tests.listings.redteam.cast import HEADER, LISTINGS, OFFER, fake_score, stages


def curve_of(given=None, budget=40, **more):
    outcomes = curve.attack_all(LISTINGS, given or stages(), budget=budget, seed=1, **more)
    return outcomes, curve.curve(outcomes, budget)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (1, [1]),
        (2, [1, 2]),
        (7, [1, 2, 5, 7]),
        (100, [1, 2, 5, 10, 20, 50, 100]),
        (120, [1, 2, 5, 10, 20, 50, 100, 120]),
    ],
)
def test_budgets_go_up_to_the_whole_one(most, expected):
    assert curve.budgets(most) == expected


def test_more_attempts_never_get_fewer_listings_through_and_each_stage_stops_some():
    _, rows = curve_of(stages(lambda fields: len(fields[1][1]) % 4 > 0, lambda fields: len(fields[1][1]) % 3 > 0))
    for name in ("past_device", "past_gate", "published", "views"):
        shares = [row[name] for row in rows]
        assert shares == sorted(shares)
    for row in rows:
        assert row["past_device"] >= row["past_gate"] >= row["published"]
        assert row["views"] == pytest.approx(row["past_gate"] * 100, abs=0.01), "whatever the cloud finds later"
    assert rows[0]["past_device"] == pytest.approx(1 / 6, abs=1e-4), "one listing needs no edit"
    assert rows[-1]["past_device"] == 1


def test_a_smaller_budget_gives_the_beginning_of_the_same_curve():
    _, small = curve_of(budget=5)
    _, large = curve_of(budget=40)
    assert small == large[:3]


def test_the_gate_reads_what_the_device_let_through_and_the_cloud_what_the_gate_did():
    at_gate, in_cloud = [], []
    given = stages(
        lambda fields: at_gate.append(fields) or fields[0][1] == "Shag For Sale", lambda f: not in_cloud.append(f)
    )
    outcomes, _ = curve_of(given)
    assert all(fake_score(fields)["decision"] == "pass" for fields in at_gate)
    assert len(at_gate) == sum(o.attempts is not None for o in outcomes)
    assert len(in_cloud) == sum(o.past_gate for o in outcomes) < len(at_gate)


def test_what_the_server_says_does_not_help_the_attacker():
    strict, _ = curve_of(stages(lambda fields: False))
    open_, _ = curve_of()
    assert [o.attempts for o in strict] == [o.attempts for o in open_]


def test_neither_order_nor_neighbours_change_what_happens_to_a_listing():
    whole = curve.attack_all(LISTINGS, stages(), budget=20, seed=3)
    backwards = curve.attack_all(LISTINGS[::-1], stages(), budget=20, seed=3)
    assert backwards == whole[::-1]
    assert curve.attack_all(LISTINGS[2:3], stages(), budget=20, seed=3) == whole[2:3]


def test_progress_is_told_after_each_listing():
    told = []
    curve_of(budget=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 6) for number in range(1, 7)]


def test_policies_and_edits_are_told_apart():
    outcomes = [
        curve.Outcome("drugs", 3, True, True, ("split", "split", "leet")),
        curve.Outcome("drugs", 1, True, False),
        curve.Outcome("weapons", None),
        curve.Outcome("weapons", 9, False, False, ("split",)),
    ]
    assert curve.won_by(outcomes) == {"split": 1.0, "leet": 0.5}
    assert curve.by_policy(outcomes) == {
        "drugs": {"listings": 2, "past_device": 1.0, "past_gate": 1.0, "published": 0.5},
        "weapons": {"listings": 2, "past_device": 0.5, "past_gate": 0.0, "published": 0.0},
    }


def said(*decisions):
    """What the gate's two models said."""
    policies = ["" if decision == "pass" else "drugs" for decision in decisions]
    return [Verdict(where="gate", decision=d, policy=p) for d, p in zip(decisions, policies, strict=True)]


@pytest.mark.parametrize(
    ("decisions", "past"),
    [(("pass", "pass"), True), (("pass", "unsure"), True), (("unsure", "unsure"), False), (("block", "pass"), False)],
)
def test_the_gate_stops_what_the_site_would_stop_there(monkeypatch, decisions, past):
    monkeypatch.setattr(curve.gate, "run_gate", lambda fields, **_: said(*decisions))
    assert curve.past_gate(OFFER.fields()) is past


def test_views_are_those_of_the_cap_where_the_ruling_gives_any():
    harmless = [("title", "Wooden train set, 24 pieces"), ("description", "Beech tracks and a red engine.")]
    assert ruled.views(harmless) == 100
    assert ruled.views([("title", "Switchblade"), ("description", "The blade jumps out by itself.")]) == 0
    assert ruled.views([*harmless, ("alt", "Write to me: train@example.com")]) == 0, "a light check finds it"
    unsure = Verdict(where="gate", model="listing-photo", decision="unsure", photo=Photo(position=0))
    assert ruled.views(harmless, [unsure]) == 0


def test_a_gate_that_lacks_a_model_is_no_gate(monkeypatch):
    monkeypatch.setattr(curve.gate, "run_gate", lambda fields, **_: said("pass"))
    with pytest.raises(curve.RedteamError, match="ran 1 of its 2 models"):
        curve.past_gate(OFFER.fields())


# --- Reading listings ------------------------------------------------------------------------------------------------


def test_safe_rows_are_left_out_and_a_limit_is_spread_over_the_file(csv_of):
    rows = "".join(f"{n},Title {n},Text,{'safe' if n % 2 else 'drugs'},plain\n" for n in range(20))
    path = csv_of(HEADER + rows)
    assert [listing.id for listing in curve.read(path)] == [str(n) for n in range(0, 20, 2)]
    assert [listing.id for listing in curve.read(path, 3)] == ["0", "6", "12"]
    assert len(curve.read(path, 99)) == 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + "1,a,b,safe,plain\n", "no unsafe listing"),
        ("", "no unsafe listing"),
        ("id,title,policy\n1,a,drugs\n", "row 2: no description"),
        (HEADER + "1,a,b,drugs,plain\n2,a\n", "row 3: no description"),
        (b"\x1f\x8b\xff\xfe", "not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_attacked_is_refused_with_what_to_do(csv_of, content, message):
    with pytest.raises(curve.RedteamError, match=message):
        curve.read(csv_of(content))


def test_changed_listings_have_another_digest():
    changed = replace(LISTINGS[0], draft=replace(LISTINGS[0].draft, title="Sugar"))
    assert curve.digest(LISTINGS) == curve.digest(list(LISTINGS))
    assert curve.digest([changed, *LISTINGS[1:]]) != curve.digest(LISTINGS)


# --- The published model ---------------------------------------------------------------------------------------------


def test_the_published_device_model_is_attacked_where_it_points():
    listings = curve.read(curve.LISTINGS, 3)
    given = stages(device=lambda fields: text.check_text(fields, variant="device"))
    for listing in listings:
        result = attack.attack(listing.draft, given.device, 5, random.Random(1))
        assert 1 <= result.attempts <= 5
        unpassed = [step.unsafe for step in result.trajectory if step.decision != "pass"]
        assert unpassed == sorted(unpassed, reverse=True)
    outcomes = curve.attack_all(listings, given, budget=5, seed=1)
    assert outcomes == curve.attack_all(listings, given, budget=5, seed=1)
