"""The command as it is typed: one JSON object on standard output, and refusals that say what to do."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command


def call(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    few = ("--with", "turncoat_tries=20")
    call_command("simulate_savings", *arguments, *few, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_json_alone_is_on_standard_output():
    out, err = call("--listings", "12", "--seed", "2", "--json", "--with", "resamples=50", "--with", "worth=5")
    found = json.loads(out)
    assert (found["listings"], found["seed"]) == (12, 2)
    assert (found["settings"]["worth"], found["parameters"]["resamples"]) == (5, 50)
    assert set(found) >= {"arms", "listings", "unsafe", "intervals"}
    assert found["models"]["runs"]["listing-text"]["inputs"] > 0
    assert "hybrid" in err


def test_a_table_for_people():
    out, _ = call("--listings", "5", "--with", "resamples=50")
    assert "cloud_per_pause" in out and "heavy_in_all" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listings", "0"),
        ("--with", "worth"),
        ("--with", "worth=-1"),
        ("--with", "obey=nan"),
        ("--with", "nothing_like_it=1"),
        ("--with", "seed=3"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments):
    with pytest.raises(CommandError):
        call("--listings", "5", *arguments)
