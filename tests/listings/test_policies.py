"""The pack of rules: what it says of photos is what the photo models can do."""

import pytest

from listings import policies
from models import manifest, photo


def test_each_policy_says_who_looks_at_photos_for_it():
    used = {policy.id: policy.photo for policy in policies.all()}
    assert {name for name, use in used.items() if use == policies.BY_MODEL} == {"weapons", "tobacco_alcohol"}
    assert {name for name, use in used.items() if use == policies.EXPERIMENT} == {"drugs"}
    assert set(used.values()) <= set(policies.PHOTO_USES)


@pytest.mark.parametrize("model", [photo.MODEL, photo.CLOUD, photo.TAIL])
def test_the_photo_models_know_just_the_policies_that_the_pack_says(model):
    labels = manifest.model(manifest.load(), model)["labels"]
    looked_at = {policy.id for policy in policies.all() if policy.photo != policies.NO_MODEL}
    assert set(labels) == looked_at | {"safe"}


def test_what_merchants_read_of_a_photo_is_there_where_a_model_looks():
    for policy in policies.all():
        assert bool(policy.photo_text) == (policy.photo != policies.NO_MODEL), policy.id
    soft = policies.get("weapons").borderline
    for thing in ("toy guns", "airsoft", "kitchen knives", "box cutters", "hatchets"):
        assert thing in soft.lower()


def test_it_is_served_and_shown(client, db):
    served = {policy["id"]: policy for policy in client.get("/api/policies").json()["policies"]}
    assert served["weapons"]["photo"] == "model" and "airsoft" in served["weapons"]["borderline"]
    assert served["fraud"]["photo"] == "none"
    page = client.get("/rules/").content.decode()
    assert "No model looks at photos for this; people do." in page
    assert "Toy guns, airsoft and replica arms" in page
