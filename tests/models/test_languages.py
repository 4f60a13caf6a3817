"""No model knows another language than English: none says of a listing in one that all is well, and names are none."""

import re

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models import languages, manifest, runtime, scoring, text, wordpieces
from models.contract import pack
from models.recipes.listing_text import corpus
from models.recipes.listing_text.front import Shape
from models.recipes.listing_text.network import foreign_words
from models.steps import recipe

FOREIGN = {
    "French": "Table basse en chêne massif, très bon état, à venir chercher ici. Quelques rayures sur le dessus.",
    "French, clothes": "Lot de vêtements pour bébé, taille six mois, lavés et repassés, maison sans animaux.",
    "Spanish": "Mesa de centro de roble macizo, muy buen estado, recoger en persona. Algunos arañazos, ver fotos.",
    "Portuguese": "Mesa de centro em madeira maciça, muito bom estado, levantar no local. Alguns riscos no tampo.",
    "Italian": "Tavolo in legno massello, ottime condizioni, ritiro a mano. Qualche graffio sul piano, vedi foto.",
    "German": "Couchtisch aus massiver Eiche, sehr guter Zustand, nur Abholung. Einige Kratzer auf der Platte.",
    "German, clothes": "Größe 98, Jacke für Kinder, nie getragen, Versand möglich, Zahlung wie vereinbart.",
    "Dutch": "Salontafel van massief eiken, zeer goede staat, alleen ophalen. Enkele krassen op het blad.",
    "Swedish": "Soffbord i massiv ek, mycket bra skick, hämtas på plats. Några repor på skivan, se bilderna.",
    "Danish": "Sofabord i massiv eg, meget pæn stand, sælges billigt, afhentes her. Nogle få ridser i pladen.",
    "Norwegian": "Stuebord i massiv eik, meget pent brukt, selges rimelig, hentes her. Noen riper i platen.",
    "Polish": "Stolik kawowy z litego dębu, bardzo dobry stan, tylko odbiór osobisty. Kilka rys na blacie.",
    "Czech": "Konferenční stolek z masivního dubu, velmi dobrý stav, pouze osobní odběr. Několik škrábanců na desce.",
    "Turkish": "Masif meşe sehpa, çok iyi durumda, elden teslim. Yüzeyde birkaç çizik var, fotoğraflara bakınız.",
    "Indonesian": "Meja kopi kayu jati, kondisi sangat baik, ambil sendiri. Ada beberapa goresan di permukaan.",
    "Romanian": "Masă de cafea din lemn masiv, stare foarte bună, doar ridicare personală. Câteva zgârieturi.",
    "Finnish": "Sohvapöytä massiivitammea, hyvä kunto, vain nouto. Muutama naarmu pinnassa, katso kuvat.",
    "Hungarian": "Tömör tölgy dohányzóasztal, nagyon jó állapotban, csak személyes átvétel. Néhány karcolás a lapon.",
}
# Of a word that begins with a letter outside a-z the device knows nothing, whatever its hash falls upon.
FOREIGN |= {
    "Chinese": "小手电筒, 铝制小手电筒，几乎全新，附黑色袋子和一节电池。",
    "Chinese, one word": "全新, 手电筒",
    "Japanese": "万年筆, ぺんてるの万年筆、新品未使用です。箱付き。",
    "Korean": "손전등, 알루미늄 손전등, 거의 새것, 배터리 포함.",
    "Arabic": "مصباح يدوي, مصباح صغير من الألمنيوم، حالة جيدة جدا.",
    "Hebrew": "פנס קטן, פנס אלומיניום כמעט חדש עם סוללה.",
    "Thai": "ไฟฉาย, ไฟฉายอะลูมิเนียม สภาพดีมาก พร้อมถ่าน",
    "Hindi": "टॉर्च, एल्युमिनियम की छोटी टॉर्च, लगभग नई।",
    "Ukrainian": "Ліхтарик, алюмінієвий ліхтарик, майже новий, з батарейкою.",
}
NAMES = [
    "Le Creuset casserole, Le Creuset cast iron casserole, 24 cm. Le Creuset lid included. Small chip on the handle.",
    "Chanel Coco Eau de Parfum, Eau de Parfum, not eau de toilette. 100 ml bottle, nearly full. Comes with box.",
    "La Vie est Belle Eau de Parfum, Lancome, 50 ml, used twice, a gift that I don't wear.",
    "Oscar de la Renta Eau de Parfum, 50 ml, about half left, box included.",
    "Snowboard boots with Boa, Burton snowboard boots with Boa lacing. Double Boa, size 43, one season.",
    "Cirque du Soleil poster, From Cirque du Soleil in Las Vegas, rolled in a tube.",
    "La La Land DVD, La La Land on DVD, plays fine.",
    "Tour de France jersey, Le Coq Sportif Tour de France jersey, yellow, size L",
    "El Camino hubcaps, Chevrolet El Camino, 1972 El Camino hubcaps, set of four",
    "Safety boots EN ISO 20345, Toe cap, EN 345 and EN ISO 20345, size 9",
    "Direct drive turntable, Direct drive, direct cable, new needle, works as it should.",
    "Gibson Les Paul, Les Paul Standard in good condition, with its hard case.",
    "Fleur de lis hooks, Cast iron fleur de lis hooks for a curtain, two of them.",
    "Adidas Stan Smith trainers, Stan Smith trainers, white and green, size 42. Classic Stan Smith shape.",
]
CHECKS = {
    text.MODEL: text.check_text,
    text.SECOND: lambda fields: text.check_text_in_cloud(fields, model=text.SECOND),
    text.CLOUD: text.check_text_in_cloud,
}
READER = wordpieces.reader(scoring.files_of(manifest.model(manifest.load(), text.CLOUD), manifest.PUBLISHED))


def checked(name, listing):
    """(verdict, least coverage that is enough)"""
    title, description = listing.split(", ", 1)
    limit = manifest.model(manifest.load(), name)["operating_points"]["coverage"]
    return CHECKS[name]([("title", title), ("description", description)]), limit


def words(listing):
    """As the server's models read them."""
    folded = wordpieces.folded(READER.fold, pack([("title", listing)]).data)
    return re.findall("[a-z]+", folded)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("listing", FOREIGN.values(), ids=FOREIGN)
def test_a_listing_in_another_language_is_not_covered(listing, name):
    verdict, limit = checked(name, listing)
    assert verdict["coverage"] < limit
    assert verdict["decision"] != "pass"


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("listing", NAMES)
def test_foreign_names_do_not_make_an_english_listing_a_foreign_one(listing, name):
    verdict, limit = checked(name, listing)
    assert verdict["coverage"] >= limit


def test_every_word_is_spelled_as_it_is_read():
    assert [word for word in sorted(languages.words()) if words(word) != [word]] == []


def test_our_english_listings_hold_no_more_than_names():
    rows = corpus.ordinary() + corpus.validation()
    many = [e.title for e in rows if len(languages.words() & set(words(f"{e.title} {e.description}"))) > languages.FREE]
    assert many == []


def test_every_ordinary_listing_is_covered_on_the_device():
    limit = manifest.model(manifest.load(), text.MODEL)["operating_points"]["coverage"]
    rows = corpus.ordinary()
    found = [text.check_text([("title", e.title), ("description", e.description)])["coverage"] for e in rows]
    assert min(found) > limit


def test_the_published_graph_holds_the_words_as_they_are_now():
    shape = Shape(**recipe.read(text.MODEL)["shape"])
    mask = np.zeros(2**shape.known_bits, np.uint8)
    mask[foreign_words(shape)] = 1
    entry = manifest.model(manifest.load(), text.MODEL)
    content = runtime.variant_bytes(text.MODEL, manifest.variant_name(entry, "device"))
    stored = [numpy_helper.to_array(each) for each in onnx.load_from_string(content).graph.initializer]
    assert any(np.array_equal(each, np.packbits(mask, bitorder="little")) for each in stored), "publish it again"
