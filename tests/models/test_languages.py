"""No model knows another language than English: none says of a listing in one that all is well."""

import re

import pytest

from models import languages, manifest, text
from models.recipes.listing_text import corpus

LISTINGS = {
    "French": "Table basse en chêne massif, très bon état, à venir chercher ici. Quelques rayures sur le dessus.",
    "French, of clothes": "Lot de vêtements pour bébé, taille six mois, lavés et repassés, maison sans animaux.",
    "Italian": "Tavolo in legno massello, ottime condizioni, ritiro a mano. Qualche graffio sul piano, vedi foto.",
    "Portuguese": "Mesa de centro em madeira maciça, muito bom estado, levantar no local. Alguns riscos no tampo.",
    "Spanish": "Mesa de centro de roble macizo, muy buen estado, recoger en persona. Algunos arañazos, ver fotos.",
    "German": "Couchtisch aus massiver Eiche, sehr guter Zustand, nur Abholung. Einige Kratzer auf der Platte.",
    "Dutch": "Salontafel van massief eiken, zeer goede staat, alleen ophalen. Enkele krassen op het blad.",
    "Polish": "Stolik kawowy z litego dębu, bardzo dobry stan, tylko odbiór osobisty. Kilka rys na blacie.",
    "Swedish": "Soffbord i massiv ek, mycket bra skick, hämtas på plats. Några repor på skivan, se bilderna.",
    "Turkish": "Masif meşe sehpa, çok iyi durumda, elden teslim. Yüzeyde birkaç çizik var, fotoğraflara bakınız.",
    "Indonesian": "Meja kopi kayu jati, kondisi sangat baik, ambil sendiri. Ada beberapa goresan di permukaan.",
}
CHECKS = {
    "device": text.check_text,
    text.SECOND: lambda fields: text.check_text_in_cloud(fields, model=text.SECOND),
    text.CLOUD: text.check_text_in_cloud,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_a_listing_in_another_language_is_never_passed(listing, check):
    title, description = listing.split(", ", 1)
    assert check([("title", title), ("description", description)])["decision"] != "pass"


def test_english_listings_hold_small_words_of_other_languages_in_names_alone():
    rows = corpus.ordinary() + [e for e in corpus.own() if e.policy == "safe"]
    small = languages.small_words()
    many = [e for e in rows if sum(word in small for word in re.findall("[a-z]+", f"{e.title} {e.description}")) > 2]
    assert len(many) / len(rows) < 0.001


def test_ordinary_listings_are_no_foreign_ones_to_the_device():
    limit = manifest.model(manifest.load(), "listing-text")["operating_points"]["coverage"]
    found = [
        text.check_text([("title", e.title), ("description", e.description)])["coverage"] for e in corpus.ordinary()
    ]
    assert min(found) > limit
