"""Edits of the attacker on text: a buyer can read each of them."""

import random
import re
from collections import Counter

import pytest

from listings import limits
from listings.redteam import edits
from listings.redteam.edits import DESCRIPTION, TITLE, Draft, Place
from tests.listings.redteam.cast import OFFER

NAMED = edits.named(OFFER, [Place(DESCRIPTION, 4, 9), Place(DESCRIPTION, 13, 20)])  # pills, ecstasy
SEEDS = range(40)


def words_of(draft):
    return Counter(re.findall(r"[^\W_]+", f"{draft.title} {draft.description}"))


def place(draft, word):
    for field, typed in draft.fields():
        if word in typed:
            return Place(field, typed.index(word), typed.index(word) + len(word))
    raise AssertionError(word)


def everywhere(edit, draft=NAMED):
    """What an edit makes of every word of the draft, with many dice."""
    places = [Place(field, *m.span()) for field, typed in draft.fields() for m in re.finditer(r"[^\W_]+", typed)]
    for where in places if edit in edits.WORD_EDITS else [None]:
        for seed in SEEDS:
            changed = edits.proposed(edit, draft, where, random.Random(seed))
            if changed is not None:
                yield where, changed


# --- The hand-written lists ------------------------------------------------------------------------------------------


def test_the_lists_are_long_enough_and_renaming_ends_after_a_step():
    known = edits.synonyms()
    assert len(known) >= 60
    assert len(set(edits.padding("sentences"))) == 40
    for word, others in known.items():
        assert word == word.lower() and others
        assert not [part for other in others for part in re.findall(r"[^\W_]+", other) if edits._key(known, part)], word


def test_every_alphabet_has_a_sign_or_a_blank_for_each_letter_and_is_read_as_latin():
    for alphabet in edits.ALPHABETS:
        assert len(alphabet) == 26
        for letter, double in zip(edits.LATIN, alphabet, strict=True):
            assert double == " " or edits.as_read(double) == letter


# --- Edits: each changes something, and keeps its promise to the buyer ------------------------------------------------


@pytest.mark.parametrize("edit", [*edits.WORD_EDITS, *edits.LISTING_EDITS])
def test_every_edit_says_how_it_stays_readable_and_leaves_a_draft_that_the_form_accepts(edit):
    function = edits.DISGUISES.get(edit) or edits.WORD_EDITS.get(edit) or edits.LISTING_EDITS[edit]
    assert getattr(function, "func", function).__doc__
    draft = NAMED if edit != "unmasked" else edits.named(Draft("C0caine by post", "P.i.l.l.s too."), [])
    found = list(everywhere(edit, draft))
    assert found, "it applies somewhere"
    for _, changed in found:
        assert changed.fields() != draft.fields()
        assert changed.edits == (edit,)
        assert edits.fits(changed) and edits.readable(changed)


@pytest.mark.parametrize("edit", [name for name in edits.DISGUISES if name != "starred"])
def test_a_disguised_word_is_read_as_the_same_word_and_no_other_word_changes(edit):
    for where, changed in everywhere(edit):
        before, after = NAMED.text(where.field), changed.text(where.field)
        assert edits.as_read(after) == edits.as_read(before)
        assert after.startswith(before[: where.start]) and after.endswith(before[where.end :])


def test_a_star_hides_one_letter_inside():
    for where, changed in everywhere("starred"):
        word = NAMED.word(where)
        new = changed.text(where.field)[where.start : where.end]
        assert len(new) == len(word)
        assert (new[0], new[-1]) == (word[0], word[-1])
        assert sum(a != b for a, b in zip(word, new, strict=True)) == 1


def test_leetspeak_leaves_half_of_the_letters():
    for where, changed in everywhere("leet"):
        new = changed.text(where.field)[where.start : where.end]
        assert sum(c.isalpha() for c in new) >= len(NAMED.word(where)) / 2


def test_long_words_are_not_spelt_letter_by_letter():
    draft = edits.named(Draft("Methamphetamine", "By post."), [])
    for edit in ("spaced", "dotted"):
        assert edits.proposed(edit, draft, place(draft, "Methamphetamine"), random.Random(1)) is None


def test_a_word_is_disguised_once():
    rng = random.Random(3)
    for edit in edits.DISGUISES:
        once = edits.proposed(edit, NAMED, place(NAMED, "Pistols"), rng)
        for part in re.finditer(r"[^\W_]+", once.title):
            if part[0].casefold() in once.touched:
                again = [edits.proposed(other, once, Place(TITLE, *part.span()), rng) for other in edits.DISGUISES]
                assert again == [None] * len(again)


def test_a_synonym_comes_from_the_list_in_the_case_of_the_word():
    found = {changed.title for where, changed in everywhere("synonym") if where == place(NAMED, "Pistols")}
    expected = [other[0].upper() + other[1:] for other in edits.synonyms()["pistol"]]
    assert found == {f"Cocaine and {other}, cheap tobacco" for other in expected}


def test_a_picture_stands_for_the_word_that_it_shows():
    changed = edits.proposed("pictured", NAMED, place(NAMED, "Pistols"), random.Random(1))
    assert changed.title == "Cocaine and 🔫, cheap tobacco"
    assert "🔫" in changed.names


@pytest.mark.parametrize(("typed", "plain"), [("C0ca1ne", "Cocaine"), ("p.i.l.l.s", "pills"), ("P@ssport", "Passport")])
def test_a_masked_word_is_written_out(typed, plain):
    draft = Draft(f"Cheap {typed} here", "By post.")
    changed = edits.proposed("unmasked", draft, place(draft, typed), random.Random(1))
    assert changed.title == f"Cheap {plain} here"
    assert edits.as_read(changed.title) == edits.as_read(draft.title)


@pytest.mark.parametrize("typed", ["10mg", "mp3", "4k", "x2", "2026", "500 g"])
def test_quantities_and_models_are_no_masked_words(typed):
    draft = Draft(f"Cheap {typed} here", "By post.")
    assert edits.proposed("unmasked", draft, place(draft, typed), random.Random(1)) is None


def test_two_words_may_be_dropped_and_two_names_stay_for_each():
    for where, changed in everywhere("dropped"):
        assert changed.dropped == 1
        assert len(changed.names) >= 2
        assert sum((words_of(NAMED) - words_of(changed)).values()) == 1, where
    rng, draft = random.Random(1), NAMED
    for word in ("Cocaine", "pills"):
        draft = edits.proposed("dropped", draft, place(draft, word), rng)
    assert draft.title == "and Pistols, cheap tobacco"
    assert len(draft.names) >= 2 * draft.dropped
    assert edits.proposed("dropped", draft, place(draft, "ecstasy"), rng) is None


def test_the_last_names_are_never_dropped():
    draft = edits.named(Draft("Cocaine, uncut", "By post."), [])
    assert edits.proposed("dropped", draft, place(draft, "Cocaine"), random.Random(1)) is None


@pytest.mark.parametrize("edit", ["moved", "straddled"])
def test_words_that_change_their_place_are_all_still_there(edit):
    for _, changed in everywhere(edit):
        assert words_of(changed) == words_of(NAMED)
        assert edits.content_words(changed.title)


def test_a_phrase_across_title_and_description_is_read_on():
    for _, changed in everywhere("straddled"):
        read_on = re.findall(r"[^\W_]+", f"{changed.title} {changed.description}")
        assert read_on == re.findall(r"[^\W_]+", f"{NAMED.title} {NAMED.description}")


@pytest.mark.parametrize("edit", ["padded_before", "padded_after", "padded_between"])
def test_padding_leaves_every_sentence_of_the_offer_as_it_was(edit):
    for _, changed in everywhere(edit):
        assert changed.title == NAMED.title
        sentences = edits.SENTENCE_END.split(changed.description)
        added = [sentence for sentence in sentences if sentence in edits.padding("sentences")]
        assert [s for s in sentences if s not in added] == edits.SENTENCE_END.split(NAMED.description)
        assert len(added) == changed.padded


def test_padding_ends_before_nobody_reads_on():
    rng, draft = random.Random(1), NAMED
    while (more := edits.proposed("padded_after", draft, None, rng)) is not None:
        draft = more
    assert draft.padded == edits.MAX_PADDED


@pytest.mark.parametrize("edit", ["bundled", "benign_title"])
def test_behind_a_harmless_title_the_whole_offer_is_in_the_description(edit):
    for _, changed in everywhere(edit):
        assert NAMED.title in changed.description
        assert changed.description.endswith(NAMED.description)
        assert edits.proposed("bundled", changed, None, random.Random(1)) is None, "once is enough"


def test_recasing_everything_changes_no_word():
    for _, changed in everywhere("recased_all"):
        assert [t.casefold() for _, t in changed.fields()] == [t.casefold() for _, t in NAMED.fields()]


@pytest.mark.parametrize("seed", range(25))
def test_however_many_edits_follow_each_other_the_offer_stays_named(seed):
    rng, draft = random.Random(seed), NAMED
    for _ in range(60):
        places = edits.name_places(draft)
        edit = rng.choice([*edits.WORD_EDITS, *edits.LISTING_EDITS])
        where = rng.choice(places) if edit in edits.WORD_EDITS else None
        draft = edits.proposed(edit, draft, where, rng) or draft
    shown = f"{draft.title}\n{draft.description}".casefold()
    assert all(name.casefold() in shown for name in draft.names)
    assert len(draft.names) >= len(NAMED.names) - edits.MAX_DROPPED
    assert draft.dropped <= edits.MAX_DROPPED
    assert len(draft.title) <= limits.TITLE_CHARS and len(draft.description) <= limits.DESCRIPTION_CHARS


def test_evidence_is_found_behind_signs_of_two_units():
    draft = Draft("💊💊 buy C0ca!ne, cheap", "")
    spans = [{"field": "title", "start": 9, "end": 17}, {"field": "alt", "start": 0, "end": 2}]
    assert draft.word(edits.place_of(draft, spans[0])) == "C0ca!ne"
    assert edits.place_of(draft, spans[1]) is None
