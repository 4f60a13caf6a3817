"""`manage.py import_catalogue`: what an operator's file may hold, and how it is told what is wrong."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from listings import limits, orders, photos, submission, validation
from listings import photo_refusals as why
from listings.lifecycle import Status
from listings.models import Listing, Photo, ValidationJob

HEADER = ["ref", "seller", "category", "title", "description", "price", "currency", "condition", "attributes", "photos"]
GOOD = {
    "ref": "mirror",
    "seller": "alice",
    "category": "home",
    "title": "Standing table mirror, beech, tilts",
    "description": "Turned frame and foot, clear glass.\nSeventy centimetres high, from a bedroom.",
    "price": "24.50",
    "currency": "EUR",
    "condition": "good",
    "attributes": '{"material": "Beech", "height": 70}',
    "photos": "",
}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    return path


def picture(path: Path, color: str = "red") -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (60, 40), color).save(path, "JPEG")


def written(folder: Path, *rows: dict[str, str], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    data = io.StringIO()
    sheet = csv.DictWriter(data, HEADER, delimiter=delimiter, extrasaction="ignore")
    sheet.writeheader()
    sheet.writerows(rows)
    (folder / "catalogue.csv").write_bytes(data.getvalue().encode(encoding))
    return folder


def run(folder: Path, *options: str) -> tuple[str, str]:
    """(what it printed, what it complained of). A run that left rows out ends in CommandError, told with the rest."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_catalogue", str(folder), *options, stdout=out, stderr=err)
    except CommandError as error:
        err.write(f"failed: {error}")
    return out.getvalue(), err.getvalue()


def test_rows_become_listings_that_wait_for_their_check(folder, merchant):
    picture(folder / "a.jpg")
    picture(folder / "pictures" / "b.jpg", "blue")
    written(folder, GOOD | {"photos": "b.jpg|a.jpg"})
    out, err = run(folder)
    assert (err, "added: 1" in out) == ("", True)
    listing = Listing.objects.get()
    assert (listing.seller, listing.status, str(listing.price)) == (merchant, Status.CHECKING, "24.50")
    assert listing.attributes == {"material": "Beech", "height": "70"}
    assert "clear glass.\nSeventy" in listing.description
    assert [photo.sha256 for photo in listing.photos.all()] == [
        photos.prepare((folder / name).open("rb")).sha256 for name in ("pictures/b.jpg", "a.jpg")
    ]
    assert ValidationJob.objects.get().state == "owed"
    assert listing.verdicts.filter(where="gate").exists()


def test_a_second_import_changes_nothing_and_a_changed_row_is_an_edit(folder, merchant):
    picture(folder / "a.jpg")
    row = GOOD | {"photos": "a.jpg"}
    run(written(folder, row))
    assert "added: 0, changed: 0, unchanged: 1" in run(folder)[0]
    assert (Listing.objects.count(), Photo.objects.count(), ValidationJob.objects.count()) == (1, 1, 1)
    assert "changed: 1" in run(written(folder, row | {"title": "Table mirror"}))[0]
    assert (Listing.objects.get().title, Listing.objects.get().revision) == ("Table mirror", 2)
    picture(folder / "a.jpg", "green")
    assert "changed: 1" in run(folder)[0]
    assert Listing.objects.get().photos.count() == 1
    assert "changed: 1" in run(written(folder, row | {"title": "Table mirror", "price": "20"}))[0]
    assert str(Listing.objects.get().price) == "20.00"
    assert Listing.objects.get().revision == 3


def test_what_was_sold_does_not_come_back(folder, merchant, shopper):
    run(written(folder, GOOD))
    Listing.objects.update(status=Status.PUBLISHED)
    orders.place(listing=Listing.objects.get(), buyer=shopper, price_seen="24.50")
    out, _ = run(written(folder, GOOD | {"title": "Changed"}))
    assert "ended: 1" in out
    assert Listing.objects.get().status == Status.ENDED


def test_a_wrong_row_is_left_out_whole_and_the_others_go_in(folder, merchant):
    picture(folder / "a.jpg")
    out, err = run(
        written(folder, GOOD, GOOD | {"ref": "b", "price": "ten", "photos": "a.jpg"}, GOOD | {"ref": "c", "title": "C"})
    )
    assert "added: 2" in out
    assert "wrong: 1" in out
    assert err.splitlines()[0] == "line 4 (b): price: Write the price in digits, for example 24.50."
    assert "failed: 1 of 3 rows were left out" in err
    assert set(Listing.objects.values_list("title", flat=True)) == {GOOD["title"], "C"}
    assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ref": " "}, "ref: Give the row a name"),
        ({"ref": "x" * 201}, "ref: At most 200"),
        ({"title": ""}, "title: Give the listing a title."),
        ({"title": "x" * 121}, "title: A title has at most 120 characters; this one has 121."),
        ({"description": "  "}, "description: Describe the thing"),
        ({"price": "-1"}, "price: The price cannot be below 0."),
        ({"price": "24,50"}, "price: Write the price in digits"),
        ({"price": "NaN"}, "price: Write the price in digits"),
        ({"category": "spaceships"}, "category: “spaceships” is no category. Use one of: "),
        ({"category": ""}, "category: Choose a category."),
        ({"currency": "BTC"}, "currency: “BTC” is not known. Use one of: EUR, USD, GBP, CHF."),
        ({"condition": "mint"}, "condition: “mint” is not known. Use one of: new, like_new"),
        ({"attributes": "{"}, "attributes: Write a JSON object"),
        ({"attributes": "[1]"}, "attributes: Write a JSON object"),
        ({"attributes": "[" * 100_000}, "attributes: Write a JSON object"),
        ({"attributes": '{"wings": 2}'}, "attributes: The category has no detail “wings”. It has: "),
        ({"attributes": '{"height": "tall"}'}, "attributes.height: "),
        ({"attributes": '{"material": ["a"]}'}, "attributes.material: Write a text or a number."),
        ({"attributes": '{"material": true}'}, "attributes.material: Write a text or a number."),
        ({"seller": "nobody"}, "seller: There is no user “nobody”."),
        ({"seller": "carol"}, "seller: “carol” cannot sell"),
        ({"seller": ""}, "seller: Name the merchant in the column seller"),
        ({"photos": "gone.jpg"}, "photos: There is no file “gone.jpg” in mine or mine/pictures."),
        ({"photos": "notes.txt"}, f"photos: notes.txt: {why.NOT_A_PHOTO}"),
        (
            {"photos": "|".join(f"{n}.jpg" for n in range(9))},
            f"photos: 9 photos; a listing has at most {limits.PHOTOS}.",
        ),
    ],
)
def test_every_fault_is_named_with_its_line_and_what_to_do(folder, merchant, shopper, change, said):
    (folder / "notes.txt").write_text("no photo")
    row = GOOD | change
    _, err = run(written(folder, row))
    assert err.startswith(f"line 2 ({row['ref'].strip() or 'no ref'}): {said}"), err
    assert "failed: 1 of 1 rows" in err
    assert not Listing.objects.exists()


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "..", ".", "/etc/hostname", "pictures/../../secret.jpg", "..\\a.jpg"]
)
def test_photos_never_come_from_outside_the_folder(folder, merchant, name):
    picture(folder.parent / "secret.jpg")
    _, err = run(written(folder, GOOD | {"photos": name}))
    assert "leads out of the folder" in err
    assert not Photo.objects.exists()


def test_a_link_out_of_the_folder_is_not_followed(folder, merchant):
    picture(folder.parent / "secret.jpg")
    (folder / "a.jpg").symlink_to(folder.parent / "secret.jpg")
    _, err = run(written(folder, GOOD | {"photos": "a.jpg"}))
    assert "There is no file “a.jpg”" in err


def test_all_faults_of_a_row_are_told_at_once(folder, merchant):
    _, err = run(written(folder, GOOD | {"price": "x", "title": "", "photos": "gone.jpg"}))
    assert [line.split(": ")[1] for line in err.splitlines()[:3]] == ["title", "price", "photos"]


def test_two_rows_of_one_ref_are_told(folder, merchant):
    out, err = run(written(folder, GOOD, GOOD | {"title": "Another"}))
    assert "line 4 (mirror): ref: Line 2 has the same ref." in err
    assert "added: 1" in out


def test_a_dry_run_says_the_same_and_changes_nothing(folder, merchant):
    picture(folder / "a.jpg")
    out, err = run(written(folder, GOOD | {"photos": "a.jpg"}, GOOD | {"ref": "b", "price": ""}), "--dry-run")
    assert "would be added: 1" in out
    assert "price: Give a price" in err
    assert not Listing.objects.exists()
    assert not Photo.objects.exists()


def test_the_seller_can_be_named_for_all_rows(folder, merchant, other_merchant):
    out, err = run(written(folder, GOOD, GOOD | {"ref": "b", "seller": "", "title": "B"}), "--seller", "bob")
    assert (err, Listing.objects.filter(seller=other_merchant).count()) == ("", 2)
    assert "added: 2" in out


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheets_write_marks_and_semicolons(folder, merchant, encoding, delimiter):
    row = GOOD | {"title": "Brass lamp; “the green one”, 40 cm"}
    out, err = run(written(folder, row, delimiter=delimiter, encoding=encoding))
    assert (err, "added: 1" in out) == ("", True)
    assert Listing.objects.get().title == row["title"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "There is no catalogue.csv in"),
        (b"", "lacks the columns ref, category, title, description, price, currency, condition"),
        (b"title,price\nA,1\n", "lacks the columns ref, category, description, currency, condition"),
        (",".join([*HEADER[:-1], "title"]).encode() + b"\nx\n", "has the column title twice"),
        (",".join(HEADER).encode(), "holds a header and no rows"),
        ("ref,title\nä,ö\n".encode("utf-16"), "is in UTF-16"),
        (",".join(HEADER).encode() + b"\nx\ncaf\xe9,,\n", "is not in UTF-8 (line 3)"),
        (",".join(HEADER).encode() + b"\na\x00b\n", "holds a null character (line 2)"),
        (",".join(HEADER).encode() + b'\nx,"unfinished\n', "cannot be read at line"),
        (",".join(HEADER).encode() + b'\nx,"a"b\n', "cannot be read at line 2"),
        (",".join(HEADER).encode() + b"\n" + b"x" * 200_000, "cannot be read at line 2"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_plainly(folder, merchant, data, said):
    if data is not None:
        (folder / "catalogue.csv").write_bytes(data)
    _, err = run(folder)
    assert err.startswith("failed: ")
    assert said in err
    assert not Listing.objects.exists()


def test_a_row_with_too_few_or_too_many_cells_is_told(folder, merchant):
    written(folder, GOOD)
    with (folder / "catalogue.csv").open("a") as file:
        file.write("short,alice\n" + ",".join("x" * 11) + "\n")
    out, err = run(folder)
    assert "line 4 (short): columns: 2 cells for 10 columns." in err
    assert "line 5 (x): columns: 11 cells for 10 columns." in err
    assert "added: 1" in out


def test_an_import_may_be_faster_than_a_person(folder, merchant):
    rows = [GOOD | {"ref": str(n), "title": f"Mirror number {n}"} for n in range(submission.SUBMITS_IN_A_ROW + 3)]
    out, err = run(written(folder, *rows))
    assert (err, f"added: {len(rows)}" in out) == ("", True)


def test_an_imported_listing_is_public_only_after_its_check(folder, merchant, client):
    run(
        written(folder, GOOD, GOOD | {"ref": "b", "title": "Text me", "description": "Write to me@example.com please."})
    )
    assert not Listing.objects.published().exists()
    for job in ValidationJob.objects.all():
        for check in job.checks.all():
            validation.run(check.pk)
    assert {listing.title: listing.status for listing in Listing.objects.all()} == {
        GOOD["title"]: Status.PUBLISHED,
        "Text me": Status.NEEDS_CHANGES,
    }
