"""Odd texts that both twins must treat alike. `publish` turns them into tests/golden/listing_text.json."""

from __future__ import annotations

from typing import Any

Text = str | dict[str, Any]  # {"repeat": text, "times": n} keeps long ones short on disk


def text_of(text: Text) -> str:
    return text if isinstance(text, str) else text["repeat"] * text["times"]


TITLES: dict[str, Text] = {
    "empty": "",
    "one space": " ",
    "one letter": "a",
    "newlines only": "\n\n\n",
    "plain safe": "Wooden dining table with four chairs",
    "plain drugs": "Cocaine, 5 grams, pure",
    "plain weapons": "Glock 19 pistol with two magazines",
    "plain tobacco": "Carton of cigarettes, duty free",
    "plain counterfeit": "Replica Rolex Submariner AAA quality",
    "plain fraud": "Cloned credit cards with PIN",
    "plain hacking": "Remote access trojan with crypter",
    "plain wildlife": "Carved elephant ivory statue",
    "plain adult": "Porn videos, full collection",
    "shouting": "GLOCK 19 PISTOL FOR SALE!!!",
    "leetspeak": "c0c41n3 and h3r0in, 5 gr4ms",
    "leetspeak with signs": "$h!t h@ppens, @dderall",
    "spelled out": "x a n a x for sale",
    "dotted": "c.o.c.a.i.n.e in town",
    "hyphenated": "co-caine, her-oin, pis-tol",
    "underscored": "meth_amphetamine crys_tal",
    "starred": "c*caine p*stol f**k",
    "piped": "|oad of p|stols",
    "cyrillic look-alikes": "сосаіnе and ріstоl",
    "greek look-alikes": "cοcaιne ριstοl",
    "full width": "ｃｏｃａｉｎｅ ｆｏｒ ｓａｌｅ",
    "mathematical letters": "𝐜𝐨𝐜𝐚𝐢𝐧𝐞 𝒻𝑜𝓇 𝕤𝕒𝕝𝕖",
    "circled letters": "ⓒⓞⓒⓐⓘⓝⓔ",
    "small capitals": "ᴄᴏᴄᴀɪɴᴇ",
    "ligatures": "ﬁne ﬂask, eﬃcient",
    "roman numerals": "Volume Ⅻ and ⅷ",
    "fractions": "½ gram, ¾ ounce, 1⁄4",
    "superscripts": "H₂O and x² m³",
    "zero-width space": "co\u200bca\u200bine",
    "zero-width joiners": "pis\u200dto\u200cl",
    "soft hyphens": "her\u00ado\u00adin",
    "byte order mark": "\ufeffpistol",
    "word joiner": "gu\u2060n for sale",
    "accents": "Café crème à emporter, naïve façade",
    "combining accents": "Cafe\u0301 cre\u0300me, na\u0131\u0308ve",
    "stacked marks": "p\u0300\u0301\u0302i\u0303s\u0304t\u0305o\u0306l",
    "marks at the start": "\u0301\u0300pistol",
    "marks reordered": "a\u0315\u0300\u05ae\u0062 pistol",
    "sharp s and others": "Straße, Ærø, Łódź, Øresund, Đakovo",
    "german": "Gebrauchtes Fahrrad, sehr guter Zustand, nur Abholung",
    "spanish": "Se vende bicicleta de montaña en buen estado",
    "russian": "Продаю горный велосипед в хорошем состоянии",
    "greek": "Πωλείται ποδήλατο βουνού",
    "chinese": "出售二手山地自行车，状况良好",
    "japanese": "マウンテンバイク売ります、美品です",
    "half-width kana": "ｶﾒﾗ ﾚﾝｽﾞ",
    "hangul": "자전거 팝니다 상태 좋음",
    "hangul jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "arabic": "دراجة جبلية للبيع بحالة جيدة",
    "hebrew with pistol": "אקדח למכירה pistol",
    "right-to-left override": "\u202elotsip\u202c for sale",
    "thai": "ขายจักรยานเสือภูเขา",
    "devanagari": "पहाड़ी साइकिल बिक्री के लिए",
    "emoji": "🚲 bike 🔥🔥 like new 👍",
    "emoji hints": "❄️ fresh snow ❄️ and 🍃 greens 🔫",
    "emoji family": "👨\u200d👩\u200d👧\u200d👦 tent 🏳️\u200d🌈 flag",
    "skin tones": "👍🏽👍🏿 gloves",
    "flags": "🇩🇪🇫🇷 stickers",
    "astral letters": "𐐀𐐨𐑅 and 𠜎𠜱",
    "lone high surrogate": "gun \ud83d for sale",
    "lone low surrogate": "\udd2bgun",
    "swapped surrogates": "\udd2b\ud83d pistol",
    "replacement character": "pistol \ufffd",
    "control characters": "pis\u0000tol \u0007 \u001b[31m red",
    "tabs": "pistol\tand\tholster",
    "line separators": "pistol\u2028holster\u2029grip",
    "no-break spaces": "glock\u00a019\u2003pistol",
    "digits only": "1234567890 42 7",
    "model numbers": "RTX 3090 24GB, i5-6500, B450M, 2x8 GB",
    "gibberish": "qzxv wkjh bgfd pplk zzxq",
    "punctuation only": "!!! ??? ... --- ***",
    "windows quotes": "“Like new” – it’s a ‘bargain’",
    "turkish dotted i": "İSTANBUL ılık pİstol",
    "long s": "piſtol for ſale",
    "angstrom and ohm": "100 \u2126 resistor, \u212b scale, 5 \u00b5F",
    "very long word": {"repeat": "cocaine", "times": 200},
    "hundred thousand characters": {"repeat": "old wooden chair ", "times": 5900},
    "long two-byte text": {"repeat": "стул ", "times": 3000},
    "long without spaces": {"repeat": "é中🚲", "times": 2000},
}

FIELDS: dict[str, list[tuple[str, Text]]] = {
    "no fields": [],
    "title and description": [("title", "Old bike"), ("description", "Comes with 5 grams of cocaine in the saddle")],
    "crlf": [("title", "Old bike"), ("description", "Good tyres.\r\nAlso a pistol.\r\rAnd heroin.\r\n")],
    "four fields": [
        ("title", "Garden shed clear-out"),
        ("description", "Rakes, pots, hoses."),
        ("attributes", "Steel\nGreen\ncocaine"),
        ("alt", "a rake\na loaded pistol"),
    ],
    "empty title": [("title", ""), ("description", "Loaded pistol, serial number filed off")],
    "emoji before the word": [("title", "🚲🚲🚲 cocaine"), ("description", "👍 pistol 👍")],
    "spelled out over a break": [("title", "x a n"), ("description", "a x")],
    "hidden in a long text": [
        ("title", "Box of assorted things"),
        ("description", {"repeat": "A nice old lamp, works well. ", "times": 160}),
        ("attributes", "cocaine and heroin, 5 grams"),
    ],
    "expanding segments": [("title", "㎏ ㏄ ﷺ ﬃ"), ("description", "㍿ pistol ㋿")],
}


# Words that a patch of the golden vectors knows: where each of their features leads, in hundredths of a logit.
PATCHED = {"zorbalene": ("drugs", 15), "blue-dusk": ("drugs", 9), "quillfork": ("weapons", 20), "pistol": ("safe", 12)}
PATCHED_TEXTS = (
    "Zorbalene, two jars, sealed",
    "z0rbalene and Z o r b a l e n e for sale",
    "zorbalenes ZORBALENE zorbalene zorbalene",
    "Blue-dusk or bluedusk, by the gram",
    "A quillfork in its sheath, hardly used, and a garden chair from a house without smokers",
    "Water pistol",
    "Wooden dining table with four chairs",
    "стул zorbalene стул",
)


def cases() -> dict[str, list[tuple[str, Text]]]:
    """Name → fields, title first."""
    return {name: [("title", text), ("description", "")] for name, text in TITLES.items()} | FIELDS
