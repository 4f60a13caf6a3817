import pytest

from listings import contact_details


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Call me on 079 123 45 67", "telephone number"),
        ("ring 0113 496 0999 after six", "telephone number"),
        ("+41 79 123 45 67", "telephone number"),
        ("0049 (0) 151 12345678", "telephone number"),
        ("Tel. 030/1234567", "telephone number"),
        ("text me: 555-867-5309", "telephone number"),
        ("oh seven nine, one two three, four five six seven", "telephone number"),
        ("anna.b@example.com", "mail address"),
        ("anna (at) example (dot) com", "mail address"),
        ("anna at example dot com", "mail address"),
        ("see www.example.com/shop", "link"),
        ("https://example.org", "link"),
        ("more on my-little-shop.com", "link"),
        ("t.me/annasells", "link"),
        ("message me on WhatsApp", "messenger name"),
        ("telegram: @annasells", "messenger name"),
        ("find me on insta", "messenger name"),
        ("write to @annasells please", "messenger name"),
        ("０７９ １２３ ４５ ６７", "telephone number"),
        ("0 7 9 1 2 3 4 5 6 7", "telephone number"),
        ("079\u200b123\u200b45\u200b67", "telephone number"),
        ("o79 123 45 67", "telephone number"),
        ("(555) 723-4567", "telephone number"),
        ("5551234567 call me", "telephone number"),
        ("zero seven nine 123 45 67", "telephone number"),
        ("ig: anna.sells", "messenger name"),
        ("insta anna_sells", "messenger name"),
        ("snap: annasells", "messenger name"),
        ("my discord is anna#1234", "messenger name"),
        ("shop.example.com/x", "link"),
        ("anna @ example . com", "mail address"),
    ],
)
def test_ways_around_the_site_are_found(text, kind):
    found = contact_details.find([("title", "Train"), ("description", text)])
    assert [span["kind"] for span in found] == [kind]
    assert found[0]["field"] == "description"


@pytest.mark.parametrize(
    "text",
    [
        "120 x 80 x 75 cm, 12.5 kg",
        "ISBN 978-3-16-148410-0",
        "Part number 0445 110 183, fits 2004-2009",
        "Bosch 0 445 110 183 is the part no. 0445110183",
        "EAN 4006381333931",
        "Price was 1,299.00 EUR, now 450",
        "Serial 0012345678",
        "Model WH-1000XM4, firmware 2.5.1",
        "Scale 1:87, 16.5 mm track, sets 70301 70302 70303",
        "Telegram from 1943, framed",
        "Signal lamp and whistle, set of two",
        "Snap fasteners, instant camera, viber-dampened stand",
        "Bought in 2019 for 350, used 2019-2022, kept in a smoke-free home",
        "1 2 3 4 5 6 7 8 9: all wooden numbers are there",
        "one, two or three of them, ten in all",
        "f/1.8, 1/4000 s, ISO 100-25600",
        "Meet at the station or at the market, about six",
        "Works at 220-240 V, 50/60 Hz, 2400 W",
        "the end.It was never used.Nice",
        "R2 @ 24 inch wheels",
        "USB 3.0 / DIN EN 60335-1",
        "12 345 678 stitches (counter)",
        "Books on ASP.NET and Socket.io",
        "Resistors 0402 0603 0805 1206",
        "VIN 0123456789",
        "Sets 0001 0002 0003",
        "sprocket 06 05 04 03 02 01",
        "track titles 01 02 03 04 05 06",
        "Phone 12 128 256 512 GB",
        "Instagram: The Unofficial Guide",
        "Signal: 433 MHz",
        "@home mug",
        "Insta-print camera, snap closure",
    ],
)
def test_numbers_and_words_of_ordinary_listings_are_left_alone(text):
    assert contact_details.find([("title", text), ("description", text)]) == []


def test_offsets_count_utf16_units_as_browsers_do():
    text = "🚂🚂 call 079 123 45 67"
    span = contact_details.find([("title", text)])[0]
    units = text.encode("utf-16-le")
    assert units[2 * span["start"] : 2 * span["end"]].decode("utf-16-le").endswith("079 123 45 67")


def test_a_long_hostile_text_is_searched_in_little_time():
    import time

    for text in ("0 " * 2500, "a@" * 2500, "at " * 1600, "one " * 1200, "+1" * 2500, "call " * 1000, "x." * 2500):
        began = time.perf_counter()
        contact_details.find([("description", text)])
        assert time.perf_counter() - began < 2, f"a rule backtracks on {text[:10]!r}"
