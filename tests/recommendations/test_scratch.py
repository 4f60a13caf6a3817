import os
import signal
import subprocess
import sys
from decimal import Decimal

import pytest
from django.db import connection

from listings.models import Listing
from recommendations import scratch, search, vocabulary
from recommendations.scratch import Product
from tests.settings import ROOT

PRODUCTS = [
    Product("a", "Blue enamel kettle", "Holds a litre.", "Home/Kitchen", Decimal("12.50")),
    Product("b", "Red enamel kettle\x00", ""),
    Product("c", "Drill " * 40, "cordless"),
]


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [scratch.PREFIX])
        return {name for (name,) in cursor.fetchall()}


def test_a_scratch_catalogue_is_the_site_over_a_database_of_its_own(make_listing):
    make_listing("Real kettle")
    vocabulary.refresh()
    with scratch.catalogue():
        assert Listing.objects.count() == 0, "the real catalogue is not seen"
        keys = scratch.load(PRODUCTS)
        vocabulary.refresh()
        assert [found.pk for found in search.by_words("blue kettle")] == [keys["a"], keys["b"]]
    assert [listing.title for listing in Listing.objects.all()] == ["Real kettle"]
    assert vocabulary.current().knows("real"), "nothing of the other one is remembered"
    assert not vocabulary.current().knows("drill")
    assert databases() == set()


def test_what_a_title_has_no_room_for_stands_in_the_description(db):
    with scratch.catalogue():
        keys = scratch.load(PRODUCTS)
        cut = Listing.objects.get(pk=keys["c"])
        assert len(cut.title) == 120
        assert cut.title + cut.description == "Drill " * 40 + " cordless"
        assert Listing.objects.get(pk=keys["a"]).price == Decimal("12.50")


def test_among_equals_the_order_of_the_file_is_kept(db):
    with scratch.catalogue():
        keys = scratch.load([Product(str(number), "Kettle") for number in range(30)])
        assert [found.pk for found in search.by_words("kettle")] == list(keys.values())


def test_an_error_inside_leaves_the_real_catalogue_in_place(make_listing):
    make_listing("Real kettle")
    with pytest.raises(ZeroDivisionError), scratch.catalogue():
        raise ZeroDivisionError
    assert Listing.objects.get().title == "Real kettle"
    assert databases() == set()


KILLED = """
import django; django.setup()
from recommendations import scratch
with scratch.catalogue():
    print("inside", flush=True)
    input()
"""


def test_what_a_killed_run_left_is_removed_by_the_next_and_a_living_one_is_not(db):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        for run in runs:
            assert run.stdout.readline() == b"inside\n"
        both = databases()
        assert len(both) == 2
        runs[0].send_signal(signal.SIGKILL)
        runs[0].wait(10)
        with scratch.catalogue():
            left = databases()
            assert len(left) == 2, "the living one and this one"
            assert len(left & both) == 1
        runs[1].communicate(b"\n", timeout=30)
        assert runs[1].returncode == 0
        assert databases() == set()
    finally:
        for run in runs:
            run.kill()
            run.wait(10)
