"""Toys, books and writing, music."""

import math
import random

import materials as m
import shapes as s
from kinds import kind

BRIGHT = ["#c8402f", "#e0a030", "#3f7fae", "#5f9a5a", "#e8dcc0", "#8a5fa0"]


def toy_wheel(x: float, y: float, r: float, mat, hub) -> None:
    s.cyl(r, 0.12, (x, y, r), mat, rot=(90, 0, 0), bevel=0.03)
    s.cyl(r * 0.45, 0.14, (x, y, r), hub, rot=(90, 0, 0), bevel=0.02)


@kind("train", yaw=34, elev=20, side=1)
def train(c: m.Colours, rng: random.Random) -> None:
    body, trim = c.solid(("wood", "metal"), "plastic"), c.trim("wood" if c.hint == "wood" else "plastic")
    dark = m.material("#3a2c24", 0.5, pattern="wood")
    with s.placed((-0.78, 0, 0)):
        s.box((1.25, 0.52, 0.14), (0, 0, 0.28), trim, bevel=0.03)
        s.cyl(0.26, 0.72, (-0.22, 0, 0.60), body, rot=(0, 90, 0), bevel=0.04)
        s.cyl(0.2, 0.06, (-0.60, 0, 0.60), m.oak(), rot=(0, 90, 0), bevel=0.02)
        s.lathe(
            [(0, 0), (0.09, 0), (0.08, 0.2), (0.15, 0.30), (0.15, 0.34), (0, 0.34)], dark, (-0.42, 0, 0.80), bevel=0.02
        )
        s.sphere(0.09, (-0.12, 0, 0.88), m.brass())
        s.box((0.46, 0.54, 0.72), (0.36, 0, 0.70), body, bevel=0.03)
        s.box((0.26, 0.56, 0.26), (0.36, 0, 0.84), m.black(0.3), bevel=0.03)
        s.box((0.62, 0.66, 0.08), (0.36, 0, 1.09), trim, bevel=0.035)
        for x, r in ((-0.42, 0.17), (-0.02, 0.17), (0.38, 0.22)):
            for y in (-0.29, 0.29):
                toy_wheel(x, y, r, dark, trim)
        s.cyl(0.05, 0.1, (0.68, 0, 0.26), m.steel(), rot=(0, 90, 0))
    for k, x in enumerate((0.62, 1.72)):
        with s.placed((x, 0, 0)):
            s.box((0.95, 0.50, 0.12), (0, 0, 0.26), trim, bevel=0.03)
            mat = m.material(rng.choice(BRIGHT), 0.4, pattern="wood" if c.hint == "wood" else "grain")
            if k == 0:
                for y in (-0.22, 0.22):
                    s.box((0.92, 0.06, 0.26), (0, y, 0.45), mat, bevel=0.02)
                for xx in (-0.43, 0.43):
                    s.box((0.06, 0.5, 0.26), (xx, 0, 0.45), mat, bevel=0.02)
                for j in range(5):
                    s.cyl(
                        0.09,
                        0.8,
                        (0, -0.12 + 0.12 * (j % 3), 0.42 + 0.13 * (j // 3)),
                        m.oak(2),
                        rot=(0, 90, 0),
                        bevel=0.02,
                    )
            else:
                s.cyl(0.23, 0.85, (0, 0, 0.54), mat, rot=(0, 90, 0), bevel=0.06)
                s.cyl(0.08, 0.1, (0, 0, 0.80), trim, bevel=0.02)
            for xx in (-0.28, 0.28):
                for y in (-0.28, 0.28):
                    toy_wheel(xx, y, 0.16, dark, trim)
            s.cyl(0.05, 0.1, (-0.5, 0, 0.26), m.steel(), rot=(0, 90, 0))


@kind("blocks", yaw=24, elev=18)
def blocks(c: m.Colours, rng: random.Random) -> None:
    stuff = "wood" if c.hint in ("wood", "mixed", "paper") else "plastic"
    cols = [c.main, c.accent] + [m.srgb(x) for x in rng.sample(BRIGHT, 4)]
    mats = [m.by_hint(stuff, x) for x in cols]
    n = iter(range(100))

    def cube(x: float, y: float, z: float, turn: float = 0, letter: str = "") -> None:
        mat = mats[next(n) % 6]
        with s.placed((x, y, z + 0.25), (0, 0, turn)):
            s.box((0.5, 0.5, 0.5), (0, 0, 0), mat, bevel=0.035)
            if letter:
                s.text(letter, 0.36, (0, -0.252, 0), m.white(), depth=0.006)
                s.text(letter, 0.36, (0.252, 0, 0), m.white(), rot=(90, 0, 90), depth=0.006)

    cube(-0.78, 0, 0, 6, "A")
    cube(-0.24, 0.05, 0, -4, "B")
    cube(0.34, 0, 0, 3, "C")
    cube(-0.52, 0.02, 0.5, -8, "D")
    cube(0.9, -0.25, 0, 30)
    s.cyl(0.2, 0.5, (0.06, 0.02, 0.75), mats[3], bevel=0.03)
    s.cyl(0.2, 0.5, (0.5, 0.0, 0.75), mats[1], bevel=0.03)
    arch = (
        [(-0.5, 0), (-0.25, 0)]
        + [(-0.25 * math.cos(math.pi * k / 16), 0.25 * math.sin(math.pi * k / 16)) for k in range(1, 16)]
        + [(0.25, 0), (0.5, 0), (0.5, 0.5), (-0.5, 0.5)]
    )
    s.prism(arch, 0.4, mats[4], (0.28, 0.01, 1.0), bevel=0.03, upright=True)
    s.prism([(-0.35, 0), (0.35, 0), (0, 0.42)], 0.42, mats[0], (0.28, 0, 1.5), bevel=0.03, upright=True)
    s.prism([(-0.3, 0), (0.3, 0), (0, 0.36)], 0.45, mats[5], (-0.52, 0.02, 1.0), (0, 0, -8), bevel=0.03, upright=True)
    s.prism([(-0.32, 0), (0.32, 0), (0.32, 0.32)], 0.4, mats[2], (-0.3, -0.75, 0), (0, 0, 25), bevel=0.03, upright=True)
    s.cyl(0.22, 0.4, (0.45, -0.75, 0.22), mats[1], rot=(90, 0, 60), bevel=0.03)


@kind("teddy", yaw=20, elev=10)
def teddy(c: m.Colours, rng: random.Random) -> None:
    fur = m.material(c.main, 0.95, pattern="fluffy", scale=0.8)
    pale = m.material(m.shade(c.main, 1.7, 0.7), 0.95, pattern="fluffy", scale=0.8)

    def plush(r: float, loc: s.Point3, mat, scale: s.Point3 = (1, 1, 1), rot: s.Point3 = (0, 0, 0)) -> None:
        s.wrinkle(s.sphere(r, loc, mat, scale, rot), 0.05, 0.10)

    plush(0.55, (0, 0, 0.55), fur, (1, 0.86, 1.08))
    plush(0.40, (0, -0.20, 0.52), pale, (0.85, 0.75, 0.95))
    plush(0.46, (0, -0.04, 1.42), fur, (1.06, 0.92, 0.95))
    plush(0.21, (0, -0.42, 1.31), pale, (1.1, 0.8, 0.85))
    s.sphere(0.07, (0, -0.59, 1.38), m.black(0.15), scale=(1.3, 0.8, 0.85))
    s.tube([(0, -0.60, 1.33), (0, -0.595, 1.27)], 0.010, m.black(), smooth=0)
    s.tube(
        [(-0.09, -0.565, 1.24), (-0.04, -0.592, 1.22), (0, -0.60, 1.265), (0.04, -0.592, 1.22), (0.09, -0.565, 1.24)],
        0.010,
        m.black(),
    )
    for side in (-1, 1):
        s.sphere(0.052, (side * 0.18, -0.435, 1.50), m.black(0.05))
        plush(0.18, (side * 0.36, 0.0, 1.80), fur, (1, 0.6, 1))
        plush(0.12, (side * 0.36, -0.07, 1.79), pale, (1, 0.5, 1))
        plush(0.20, (side * 0.58, -0.16, 0.78), fur, (0.85, 0.9, 1.75), (-24, side * -32, 0))
        plush(0.25, (side * 0.42, -0.52, 0.24), fur, (0.9, 1.55, 0.9), (0, 0, side * 22))
        plush(0.18, (side * 0.55, -0.86, 0.26), pale, (1, 0.35, 1.1), (0, 0, side * 22))
    ribbon = c.trim("fabric", 2)
    s.torus(0.34, 0.05, (0, -0.03, 1.07), ribbon, flat=1.3)
    for side in (-1, 1):
        s.soft_box((0.28, 0.12, 0.20), (side * 0.16, -0.42, 1.05), ribbon, crease=0.4, rot=(0, side * 18, 0))
        s.box((0.09, 0.03, 0.28), (side * 0.09, -0.42, 0.90), ribbon, rot=(-8, side * -18, 0), bevel=0.01)
    s.sphere(0.06, (0, -0.46, 1.05), ribbon)


@kind("stacking_rings", yaw=10, elev=18)
def stacking_rings(c: m.Colours, rng: random.Random) -> None:
    stuff = c.hint if c.hint in ("wood", "plastic") else "wood"
    s.lathe([(0, 0), (0.62, 0), (0.66, 0.05), (0.55, 0.16), (0, 0.16)], m.oak(), bevel=0.04)
    z = 0.16
    cols = [c.main, c.accent] + [m.srgb(x) for x in rng.sample(BRIGHT, 4)]
    for k, col in enumerate(cols):
        r, t = 0.60 - 0.068 * k, 0.125
        s.torus(r - t, t * 1.15, (0.01 * (-1) ** k, 0, z + t), m.by_hint(stuff, col), flat=0.87)
        z += 2 * t * 0.98
    s.cyl(0.07, z - 0.05, (0, 0, z / 2), m.oak())
    s.sphere(0.20, (0, 0, z + 0.10), m.by_hint(stuff, c.main))
    s.torus(0.34, 0.14, (1.0, -0.3, 0.13), m.by_hint(stuff, c.accent), flat=0.9)


@kind("toy_car", yaw=32, elev=16, side=1)
def toy_car(c: m.Colours, rng: random.Random) -> None:
    paint = c.solid(("wood",), "wood") if c.hint == "wood" else m.material(c.main, 0.18, metallic=0.15, coat=0.8)
    dark, chrome, glassy = m.rubber(), m.steel(0.1), m.material((0.02, 0.03, 0.04), 0.05, coat=1)
    prof = [
        (-1.2, 0.22),
        (-1.22, 0.42),
        (-1.12, 0.52),
        (-0.55, 0.58),
        (0.55, 0.60),
        (1.1, 0.56),
        (1.22, 0.44),
        (1.2, 0.22),
    ]
    s.prism(prof, 1.0, paint, (0, 0, 0), bevel=0.10, corner=0.14, upright=True)
    s.prism(
        [(-0.62, 0.54), (-0.32, 0.95), (0.36, 0.98), (0.78, 0.56)],
        0.86,
        paint,
        (0, 0, 0),
        bevel=0.09,
        corner=0.12,
        upright=True,
    )
    if c.hint != "wood":
        for side in (-1, 1):
            s.prism(
                [(-0.48, 0.60), (-0.26, 0.88), (0.0, 0.90), (0.0, 0.60)],
                0.02,
                glassy,
                (0, side * 0.43, 0),
                bevel=0.004,
                corner=0.04,
                upright=True,
            )
            s.prism(
                [(0.06, 0.60), (0.06, 0.90), (0.32, 0.90), (0.58, 0.60)],
                0.02,
                glassy,
                (0, side * 0.43, 0),
                bevel=0.004,
                corner=0.04,
                upright=True,
            )
            s.box((0.14, 0.03, 0.03), (0.02, side * 0.505, 0.50), chrome, bevel=0.01)
        s.box((0.02, 0.70, 0.36), (-0.51, 0, 0.765), glassy, rot=(0, 37, 0), bevel=0.008)
        s.box((0.02, 0.70, 0.40), (0.62, 0, 0.775), glassy, rot=(0, -44, 0), bevel=0.008)
    for x in (-1.24, 1.24):
        s.slab(1.02, 0.10, 0.08, (x, 0, 0.28), chrome, r=0.045, rot=(90, 0, 90))
    for y in (-0.34, 0.34):
        s.cyl(0.10, 0.06, (-1.19, y, 0.45), chrome, rot=(0, 90, 0), bevel=0.02)
        s.cyl(0.08, 0.08, (-1.195, y, 0.45), m.material("#fff4d8", 0.1, glow=0.5), rot=(0, 90, 0), bevel=0.02)
        s.cyl(0.06, 0.06, (1.20, y, 0.44), m.material("#c42a1a", 0.15, glow=0.2), rot=(0, 90, 0), bevel=0.02)
    s.box((1.9, 1.01, 0.035), (0, 0, 0.40), c.trim("metal"), bevel=0.01)
    for x in (-0.72, 0.74):
        for y in (-0.46, 0.46):
            s.cyl(0.25, 0.20, (x, y, 0.25), dark, rot=(90, 0, 0), bevel=0.05)
            s.cyl(0.15, 0.215, (x, y, 0.25), chrome if c.hint != "wood" else m.oak(), rot=(90, 0, 0), bevel=0.02)
            s.cyl(0.05, 0.23, (x, y, 0.25), c.trim(), rot=(90, 0, 0), bevel=0.01)


def book(w: float, d: float, t: float, cover, pages, rng: random.Random, band=None) -> None:
    """A closed book lying flat, spine towards -y, bottom at z = 0."""
    s.box((w - 0.05, d - 0.06, t - 0.05), (0, 0.02, t / 2), pages, bevel=0.004)
    for z in (0.012, t - 0.012):
        s.box((w, d, 0.024), (0, 0, z), cover, bevel=0.008)
    s.box((w, 0.03, t), (0, -d / 2 + 0.008, t / 2), cover, bevel=0.012)
    if band is not None:
        for x in (-w * 0.36, w * 0.36):
            s.box((0.03, 0.008, t * 0.98), (x, -d / 2 - 0.010, t / 2), band, bevel=0.002)
        s.box((w * 0.42, 0.006, t * 0.34), (0, -d / 2 - 0.009, t / 2), band, bevel=0.002)


@kind("books", yaw=24, elev=18)
def books(c: m.Colours, rng: random.Random) -> None:
    pages = m.material("#efe6d0", 0.9, pattern="paper")
    palette = [
        c.main,
        c.accent,
        m.shade(c.main, 0.55),
        m.srgb(rng.choice(["#e8e2d6", "#3a3a44", "#8a5a3c", "#4f6f52", "#7d8a97"])),
    ]
    gilt = m.brass() if rng.random() < 0.5 else m.paper()
    titles = rng.sample(["NORTH WINDS", "THE QUIET GARDEN", "BREAD", "ATLAS", "SEVEN ISLANDS", "LETTERS", "TIDES"], 4)
    hint = c.hint if c.hint in ("leather", "fabric") else "paper"
    if rng.random() < 0.5:
        z = 0.0
        for k in range(rng.choice([3, 4])):
            t = rng.uniform(0.18, 0.32)
            with s.placed((rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.05), z), (0, 0, rng.uniform(-12, 12))):
                w, d = 1.55 - 0.10 * k, 1.1 - 0.07 * k
                book(w, d, t, m.by_hint(hint, palette[k % 4]), pages, rng)
                s.text(titles[k], min(0.13, t * 0.5), (0, -d / 2 - 0.010, t / 2), gilt, depth=0.004)
            z += t
    else:
        x = -0.7
        for k in range(5):
            t, h = rng.uniform(0.2, 0.32), rng.uniform(1.25, 1.6)
            last = k == 4
            # the last one leans against the others
            place = (x + (0.30 if last else 0), 0, h / 2 + (0.02 if last else 0))
            with s.placed(place, (0, -15 if last else 0, 0)), s.placed((0, 0, 0), (0, 90, 0)):
                book(h, 1.05, t, m.by_hint(hint, palette[k % 4]), pages, rng, gilt)
            x += t + 0.012
        with s.placed((1.05, -0.5, 0), (0, 0, 20)):
            book(0.9, 0.7, 0.16, m.by_hint(hint, palette[1]), pages, rng)


@kind("notebook", yaw=22, elev=40, flat=True)
def notebook(c: m.Colours, rng: random.Random) -> None:
    cover = c.solid(("leather", "fabric", "paper"), "leather")
    pages = m.material("#f1ead8", 0.9, pattern="paper")
    with s.placed((0, 0, 0), (0, 0, 12)):
        s.slab(1.36, 1.94, 0.12, (0.01, 0, 0.10), pages, r=0.08, bevel=0.01)
        for z in (0.03, 0.175):
            s.slab(1.42, 2.0, 0.035, (0, 0, z), cover, r=0.10, bevel=0.012)
        s.tube([(-0.70, -0.98, 0.10), (-0.70, 0.98, 0.10)], 0.085, cover, smooth=0)
        s.box((0.075, 2.02, 0.012), (0.52, 0, 0.197), c.trim("fabric", 2), bevel=0.004)
        s.box((0.075, 0.014, 0.18), (0.52, -1.0, 0.10), c.trim("fabric", 2), bevel=0.004)
        s.tube([(-0.2, -0.95, 0.12), (-0.22, -1.12, 0.05), (-0.15, -1.3, 0.02)], 0.022, c.trim("fabric", 2))
        s.slab(0.7, 0.4, 0.006, (-0.1, 0.4, 0.195), m.paper(), r=0.03, bevel=0.001)
        for k in range(2):
            s.box((0.5, 0.008, 0.002), (-0.1, 0.43 - 0.12 * k, 0.199), m.black(), bevel=0)
        if c.hint == "leather":
            s.stitches(
                [(x, y, 0.197) for x, y in s.rect(1.32, 1.9, 0.08)], m.material(m.shade(c.main, 1.8), 0.7), closed=True
            )
    with s.placed((1.0, -0.1, 0.06), (0, 0, -12)):
        pen(m.material(c.accent, 0.25, coat=0.5), m.brass())


def pen(body, metal) -> None:
    """A capped pen lying along y, about 1.5 long, centre line at z = 0."""
    s.lathe([(0, -0.72), (0.035, -0.72), (0.058, -0.6), (0.06, 0.0), (0, 0.0)], body, rot=(-90, 0, 0), bevel=0.015)
    s.lathe([(0, 0), (0.072, 0.0), (0.072, 0.6), (0.06, 0.68), (0, 0.7)], body, rot=(-90, 0, 0), bevel=0.02)
    s.cyl(0.075, 0.05, (0, 0.02, 0), metal, rot=(90, 0, 0), bevel=0.008)
    s.tube([(0, 0.66, 0.06), (0, 0.64, 0.095), (0, 0.2, 0.088)], 0.014, metal)
    s.sphere(0.022, (0, 0.2, 0.085), metal, steps=14)


@kind("fountain_pen", yaw=20, elev=34, flat=True, focus=(-0.6, -0.3, 0.4))
def fountain_pen(c: m.Colours, rng: random.Random) -> None:
    body = m.material(c.main, 0.12, coat=0.9) if c.hint != "wood" else c.body("wood", 3)
    metal = m.gold() if rng.random() < 0.5 else m.steel(0.12)
    with s.placed((-0.1, 0.05, 0.13), (0, 0, 62)):
        s.lathe(
            [(0, -0.95), (0.06, -0.95), (0.10, -0.82), (0.12, -0.2), (0.115, 0.28), (0, 0.28)],
            body,
            rot=(-90, 0, 0),
            bevel=0.02,
        )
        s.cyl(0.118, 0.04, (0, 0.28, 0), metal, rot=(90, 0, 0), bevel=0.006)
        s.lathe(
            [(0.10, 0.28), (0.085, 0.5), (0.095, 0.58), (0.06, 0.6), (0, 0.6)],
            m.black(0.15),
            rot=(-90, 0, 0),
            bevel=0.01,
        )

        def nib(u: float, v: float) -> s.Point3:
            half = 0.10 * (1 - v) ** 0.75 * (0.75 + 0.9 * v * (1 - v)) + 0.004
            x = (2 * u - 1) * half
            return (x, 0.58 + 0.40 * v, 0.07 - 3.2 * x * x - 0.05 * v)

        s.sheet(nib, 12, 20, metal, thickness=0.012)
        s.tube([(0, 0.72, 0.062), (0, 0.97, 0.025)], 0.004, m.black(), smooth=0)
        s.sphere(0.014, (0, 0.72, 0.06), m.black(), steps=12)
        s.loft(
            [
                s.oval(0, y, z, r, r * 0.6, axis="y")
                for y, z, r in ((0.58, 0.0, 0.06), (0.75, 0.0, 0.045), (0.9, 0.01, 0.02))
            ],
            m.black(),
        )
    with s.placed((0.35, -0.42, 0.13), (0, 0, 48)):
        s.lathe(
            [(0, -0.45), (0.09, -0.45), (0.125, -0.38), (0.132, 0.42), (0.10, 0.42)], body, rot=(-90, 0, 0), bevel=0.025
        )
        s.cyl(0.136, 0.06, (0, 0.36, 0), metal, rot=(90, 0, 0), bevel=0.008)
        s.tube([(0, -0.42, 0.11), (0, -0.38, 0.165), (0, 0.1, 0.15), (0, 0.16, 0.142)], 0.022, metal)
    with s.placed((0.1, 0.75, 0)):
        s.lathe(
            [(0, 0), (0.30, 0), (0.34, 0.06), (0.34, 0.30), (0.2, 0.40), (0.18, 0.46), (0, 0.46)],
            m.material((0.02, 0.03, 0.12), 0.05, coat=1.0),
            bevel=0.03,
        )
        s.cyl(0.21, 0.14, (0, 0, 0.52), m.black(0.3), bevel=0.02)
    s.box((1.75, 1.15, 0.01), (0.05, -0.1, 0.005), m.paper(), rot=(0, 0, 8), bevel=0.002)
    for k in range(5):
        pts = [(-0.85 + 0.035 * j, -0.62 + 0.03 * math.sin(j * 1.9 + k), 0.012) for j in range(rng.randrange(12, 22))]
        s.tube([(x, y + 0.13 * k, z) for x, y, z in pts], 0.006, m.material("#1b2a5c", 0.6), smooth=4)


@kind("pencils", yaw=20, elev=14)
def pencils(c: m.Colours, rng: random.Random) -> None:
    cols = [c.main, c.accent] + [
        m.srgb(x) for x in ("#c8402f", "#e0a030", "#3f7fae", "#5f9a5a", "#8a5fa0", "#e47a3a", "#2f4f7a", "#d87a9a")
    ]
    raw = m.oak(3)

    def pencil(col, length: float) -> None:
        mat = m.material(col, 0.3, coat=0.4)
        hexagon = [
            [(0.055 * math.cos(math.radians(60 * k)), 0.055 * math.sin(math.radians(60 * k)), z) for k in range(6)]
            for z in (0, length)
        ]
        s.loft(hexagon, mat, subdiv=0, sharp=30)
        s.cyl(0.052, 0.15, (0, 0, length + 0.075), raw, r2=0.018, bevel=0)
        s.cyl(0.018, 0.055, (0, 0, length + 0.175), m.material(col, 0.6), r2=0.002, bevel=0)

    s.lathe(
        [(0, 0), (0.40, 0), (0.42, 0.72), (0.38, 0.72), (0.36, 0.05), (0, 0.05)],
        c.solid(("metal", "ceramic", "wood", "leather"), "metal"),
        bevel=0.015,
    )
    for k in range(10):
        a, r = 0.63 * k, 0.26 if k < 7 else 0.1
        lean = rng.uniform(4, 13)
        with s.placed(
            (0.55 * r * math.cos(a), 0.55 * r * math.sin(a), 0.06),
            (-lean * math.sin(a), lean * math.cos(a), rng.uniform(0, 60)),
        ):
            pencil(cols[k % len(cols)], rng.uniform(1.0, 1.3))
    for x, y, turn, k in ((0.6, -0.55, 60, 2), (0.75, -0.35, 75, 4)):
        with s.placed((x - 0.4, y, 0.055), (0, 90, turn - 75)):
            pencil(cols[k], 1.0)
    s.box((0.26, 0.16, 0.12), (-0.55, -0.5, 0.06), m.white(0.7), bevel=0.03, rot=(0, 0, 20))


@kind("globe", yaw=20, elev=12)
def globe(c: m.Colours, rng: random.Random) -> None:
    sea = m.material(m.shade(c.main, 1.3, 0.8), 0.35, coat=0.4)
    land = m.material("#d9bf86", 0.6)
    nodes = m._Nodes(sea)
    shape = nodes.noise(1.6, 5)
    col = m.srgb(m.shade(c.main, 1.3, 0.8))
    nodes.color(
        nodes.ramp(
            shape,
            [
                (0.0, col),
                (0.525, m.shade(col, 1.25)),
                (0.53, m.srgb("#8a7a4a")),
                (0.54, m.srgb("#d9c48c")),
                (0.63, m.srgb("#9aa860")),
                (0.72, m.srgb("#b58a50")),
            ],
        )
    )
    metal = m.brass()
    with s.placed((0, 0, 1.15), (0, 23, 0)):
        s.sphere(0.78, (0, 0, 0), sea, steps=80)
        for lat in (-60, -30, 0, 30, 60):
            s.torus(
                0.781 * math.cos(math.radians(lat)),
                0.0028 if lat else 0.005,
                (0, 0, 0.781 * math.sin(math.radians(lat))),
                land,
            )
        for k in range(6):
            s.torus(0.781, 0.0026, (0, 0, 0), land, rot=(90, 0, 30 * k))
        s.loft(
            [
                [(f * x, y, f * z) for f, y in ((1.0, -0.05), (1.03, -0.05), (1.03, 0.05), (1.0, 0.05))]
                for x, _, z in s.arc(0.86, -92, 92, 36)
            ],
            metal,
            subdiv=1,
        )
        for z in (-0.83, 0.83):
            s.cyl(0.04, 0.14, (0, 0, z), metal, bevel=0.01)
    s.lathe(
        [(0, 0), (0.52, 0), (0.52, 0.05), (0.42, 0.10), (0.16, 0.14), (0.08, 0.22), (0.06, 0.30), (0, 0.30)],
        c.trim("wood") if c.hint != "metal" else m.brass(),
        smooth=5,
    )
    s.tube([(0, 0, 0.24), (0.18, 0, 0.28), (0.34, 0, 0.36)], 0.045, metal)


def strings_body(outline: list, depth: float, front, side) -> None:
    s.prism(outline, depth, side, (0, 0, 0), bevel=0.03, smooth=8, upright=True)
    s.prism(
        [(x * 0.99, z * 0.99) for x, z in outline], 0.02, front, (0, -depth / 2, 0), bevel=0.006, smooth=8, upright=True
    )


def guitar_shape(c: m.Colours, rng: random.Random, n: int, wide: float, neck: float) -> None:
    """Acoustic body, neck and head with n strings; body centre at z = 0.6."""
    front = c.body("wood") if c.hint == "wood" or rng.random() < 0.7 else m.material(c.main, 0.2, coat=0.8)
    side, dark = c.trim("wood"), m.material("#2a1a12", 0.4, pattern="wood")
    half = [
        (0, -0.62),
        (0.32, -0.60),
        (0.55, -0.42),
        (0.60, -0.15),
        (0.50, 0.08),
        (0.38, 0.24),
        (0.40, 0.42),
        (0.44, 0.58),
        (0.34, 0.74),
        (0.12, 0.80),
    ]
    half = [(x * wide, z) for x, z in half]
    outline = half + [(-x, z) for x, z in reversed(half[1:])]
    d = 0.28
    top = 0.80 + neck
    strings_body(outline, d, front, side)
    s.tube([(x * 0.985, -d / 2 - 0.008, z * 0.985) for x, z in outline], 0.014, m.paper(), smooth=8, closed=True)
    s.cyl(0.175 * wide, 0.012, (0, -d / 2 - 0.012, 0.24), m.black(0.8), rot=(90, 0, 0))
    for r, mat in ((0.20, c.trim("wood")), (0.225, m.paper()), (0.185, m.black())):
        s.torus(r * wide, 0.007, (0, -d / 2 - 0.014, 0.24), mat, rot=(90, 0, 0))
    s.slab(0.42, 0.085, 0.035, (0, -d / 2 - 0.02, -0.26), dark, r=0.03, upright=True)
    s.box((0.30, 0.03, 0.02), (0, -d / 2 - 0.045, -0.24), m.paper(), bevel=0.005)
    s.box((0.17, 0.10, neck + 0.04), (0, -d / 2 + 0.035, 0.80 + neck / 2), side, bevel=0.035)
    board_low = 0.46
    s.box((0.16, 0.035, top - board_low), (0, -d / 2 - 0.025, (top + board_low) / 2), dark, bevel=0.008)
    z, step = top, (top - board_low) * 0.105
    for k in range(17):
        z -= step
        step *= 0.944
        if z < board_low + 0.02:
            break
        s.box((0.158, 0.012, 0.009), (0, -d / 2 - 0.044, z), m.steel(), bevel=0.003)
        if k in (2, 4, 6, 8, 11):
            s.cyl(0.014, 0.006, (0, -d / 2 - 0.043, z + step * 0.5), m.paper(), rot=(90, 0, 0), steps=16)
    with s.placed((0, -d / 2 + 0.02, top), (-9, 0, 0)):
        s.prism(
            [(-0.085, 0), (0.085, 0), (0.14, 0.10), (0.125, 0.44), (0, 0.47), (-0.125, 0.44), (-0.14, 0.10)],
            0.06,
            side,
            (0, 0, 0),
            bevel=0.012,
            corner=0.02,
            upright=True,
        )
        s.box((0.17, 0.04, 0.025), (0, -0.045, 0), m.paper(), bevel=0.005)
        per = n // 2
        for k in range(per):
            for sd in (-1, 1):
                zz = 0.12 + 0.28 * k / max(1, per - 1)
                s.cyl(0.016, 0.06, (sd * 0.075, -0.045, zz), m.steel(), rot=(90, 0, 0), steps=16)
                s.tube([(sd * 0.12, 0, zz), (sd * 0.18, 0, zz)], 0.011, m.steel(), smooth=0)
                s.sphere(0.032, (sd * 0.20, 0, zz), m.paper(), scale=(0.6, 1, 1), steps=16)
    xs = [0.12 * (k / (n - 1) - 0.5) for k in range(n)]
    s.bars(
        [((x * 1.6, -d / 2 - 0.062, -0.24), (x, -d / 2 - 0.058, top + 0.01)) for x in xs],
        0.0045,
        m.brass() if n == 6 else m.white(),
    )


@kind("guitar", yaw=16, elev=8)
def guitar(c: m.Colours, rng: random.Random) -> None:
    with s.placed((0, 0, 0.66), (-7, 0, 0)):
        guitar_shape(c, rng, 6, 1.0, 0.95)
    for x in (-0.3, 0.3):
        s.tube([(x, -0.28, 0.16), (x * 1.1, -0.22, 0.05), (x, 0.35, 0.03), (x * 0.3, 0.38, 0.5)], 0.03, m.black())
    s.tube([(-0.09, 0.38, 0.48), (0.09, 0.38, 0.48)], 0.03, m.black(), smooth=0)
    s.tube([(-0.3, 0.35, 0.03), (0.3, 0.35, 0.03)], 0.025, m.black(), smooth=0)


@kind("ukulele", yaw=20, elev=38, flat=True)
def ukulele(c: m.Colours, rng: random.Random) -> None:
    with s.placed((0, 0, 0.18), (-90, 0, 0)), s.placed((0, 0, -0.5), (0, 38, 0)):
        guitar_shape(c, rng, 4, 1.02, 0.55)


@kind("piano_keyboard", yaw=16, elev=26, flat=True, focus=(-0.4, -0.4, 0.4))
def piano_keyboard(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("wood", "plastic", "metal"), "plastic")
    s.slab(2.9, 0.86, 0.16, (0, 0, 0.12), body, r=0.06, bevel=0.03)
    s.box((2.7, 0.30, 0.03), (0, 0.24, 0.21), m.black(0.35), bevel=0.01)
    n, w = 28, 2.66 / 28
    ivory = m.material("#f3f0e6", 0.2, coat=0.3)
    for k in range(n):
        x = -1.33 + w * (k + 0.5)
        s.box((w * 0.93, 0.50, 0.06), (x, -0.16, 0.20), ivory, bevel=0.008, segs=2)
        if k % 7 in (0, 1, 3, 4, 5) and k < n - 1:
            s.box((w * 0.52, 0.31, 0.07), (x + w / 2, -0.065, 0.245), m.black(0.2), bevel=0.012, segs=2)
    s.slab(0.36, 0.15, 0.01, (0, 0.25, 0.228), m.screen("#1a4a6a", "#58b0c8", 0.9, 4), r=0.02, bevel=0.001)
    for k in range(6):
        s.cyl(0.035, 0.05, (-1.15 + 0.12 * k, 0.25, 0.24), c.trim(), bevel=0.01)
        s.slab(0.08, 0.05, 0.02, (0.32 + 0.11 * k, 0.21, 0.23), m.material("#6a6f78", 0.5), r=0.012)
        s.slab(
            0.08,
            0.05,
            0.02,
            (0.32 + 0.11 * k, 0.30, 0.23),
            m.material("#6a6f78" if k != 2 else "#e0503a", 0.5, glow=0.0 if k != 2 else 0.8),
            r=0.012,
        )
    for k in range(16):
        s.box((0.012, 0.22, 0.012), (1.08 + 0.016 * k, 0.25, 0.226), m.black(0.8), bevel=0)
    s.box((1.0, 0.02, 0.42), (0, 0.42, 0.42), m.black(0.2), rot=(-14, 0, 0), bevel=0.01)
    s.box((0.62, 0.012, 0.40), (0, 0.40, 0.43), m.paper(), rot=(-14, 0, 0), bevel=0.003)
    for j in range(4):
        for k in range(5):
            z = 0.30 + 0.085 * j + 0.010 * k
            s.box((0.54, 0.002, 0.0025), (0, 0.388 + (z - 0.43) * 0.25, z), m.black(), rot=(-14, 0, 0), bevel=0)


@kind("drum", yaw=20, elev=24)
def drum(c: m.Colours, rng: random.Random) -> None:
    shell = (
        c.solid(("wood", "metal"), "wood")
        if c.hint in ("wood", "metal")
        else m.material(c.main, 0.2, coat=0.8, metallic=0.3)
    )
    skin = m.material("#f1ece0", 0.6, pattern="paper")
    s.cyl(0.90, 0.75, (0, 0, 0.45), shell, bevel=0.01, steps=96)
    for z in (0.06, 0.84):
        s.lathe(
            [(0.90, -0.05), (0.945, -0.05), (0.945, 0.05), (0.91, 0.065), (0.90, 0.05)],
            m.steel(0.15),
            (0, 0, z),
            bevel=0.012,
            closed=True,
            steps=96,
        )
    s.cyl(0.895, 0.02, (0, 0, 0.86), skin, bevel=0.005, steps=96)
    for k in range(8):
        a = math.radians(45 * k + 12)
        x, y = math.cos(a), math.sin(a)
        s.slab(0.12, 0.26, 0.07, (0.93 * x, 0.93 * y, 0.45), m.steel(), r=0.05, rot=(90, 0, math.degrees(a) + 90))
        s.tube([(0.965 * x, 0.965 * y, 0.08), (0.965 * x, 0.965 * y, 0.90)], 0.018, m.steel(), smooth=0)
        for z in (0.06, 0.86):
            s.box((0.06, 0.08, 0.07), (0.96 * x, 0.96 * y, z), m.steel(), rot=(0, 0, math.degrees(a)), bevel=0.012)
    wood = c.trim("wood")
    for turn, y in ((18, -0.1), (-14, 0.12)):
        with s.placed((0.1, y, 0.90 + 0.05 * (turn < 0)), (0, 0, turn)):
            s.loft(
                [
                    s.oval(x, 0, 0.02, r, r, axis="x")
                    for x, r in (
                        (-0.95, 0.02),
                        (-0.93, 0.045),
                        (-0.86, 0.05),
                        (-0.80, 0.03),
                        (-0.5, 0.042),
                        (0.85, 0.048),
                        (0.88, 0.03),
                    )
                ],
                wood,
            )


@kind("metronome", yaw=24, elev=10)
def metronome(c: m.Colours, rng: random.Random) -> None:
    wood = c.solid(("wood", "plastic", "metal"), "wood")
    s.box((1.15, 1.15, 0.14), (0, 0, 0.12), wood, bevel=0.03)
    for x in (-0.45, 0.45):
        for y in (-0.45, 0.45):
            s.sphere(0.07, (x, y, 0.05), m.brass(), scale=(1, 1, 0.7), steps=20)
    s.loft(
        [[(x * k, y * k, z) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))] for k, z in ((0.49, 0.19), (0.20, 1.72))],
        wood,
        subdiv=0,
        sharp=30,
    )
    s.box((0.46, 0.46, 0.08), (0, 0, 1.74), wood, bevel=0.02)
    s.lathe([(0, 1.78), (0.06, 1.78), (0.03, 1.84), (0.05, 1.9), (0, 1.93)], m.brass(), smooth=4)
    lean = math.degrees(math.atan2(0.29, 1.53))
    with s.placed((0, -0.49, 0.20), (-lean, 0, 0)):
        s.prism(
            [(-0.26, 0.12), (0.26, 0.12), (0.13, 1.38), (-0.13, 1.38)],
            0.03,
            m.black(0.4),
            (0, 0, 0),
            bevel=0.006,
            upright=True,
        )
        s.prism(
            [(-0.09, 0.22), (0.09, 0.22), (0.07, 1.34), (-0.07, 1.34)],
            0.02,
            m.material("#efe4c8", 0.5),
            (0, -0.012, 0),
            bevel=0.003,
            upright=True,
        )
        for k in range(16):
            s.box((0.07, 0.004, 0.006), (0.0, -0.026, 0.28 + 0.066 * k), m.black(), bevel=0)
        with s.placed((0, -0.06, 0.14), (0, rng.choice([-17, 14]), 0)):
            s.box((0.028, 0.012, 1.30), (0, 0, 0.62), m.steel(), bevel=0.004)
            s.prism(
                [(-0.09, -0.08), (0.09, -0.08), (0.06, 0.09), (-0.06, 0.09)],
                0.06,
                m.brass(),
                (0, -0.01, 0.88),
                bevel=0.01,
                upright=True,
            )
    s.box((0.62, 0.02, 0.16), (0, -0.505, 0.30), wood, bevel=0.01)
    s.slab(0.28, 0.07, 0.01, (0, -0.518, 0.30), m.brass(), r=0.02, upright=True)
    s.cyl(0.03, 0.12, (0.48, 0.1, 0.6), m.brass(), rot=(0, 90, 0))
    s.slab(0.16, 0.09, 0.02, (0.54, 0.1, 0.6), m.brass(), r=0.04, rot=(90, 0, 90))
