"""Sport and bicycles."""

import math
import random

import bmesh
import materials as m
import shapes as s
from kinds import kind
from mathutils import Vector


def panels(r: float, loc: s.Point3, dark, light, turn: s.Point3) -> None:
    """A ball sewn from 12 pentagons and 20 hexagons (a truncated icosahedron blown up to a sphere)."""
    bm = bmesh.new()
    bmesh.ops.create_icosphere(bm, subdivisions=1, radius=1)
    edge = next(iter(bm.edges)).calc_length()
    bmesh.ops.bevel(
        bm, geom=list(bm.verts), offset=edge / 3, offset_type="OFFSET", segments=1, affect="VERTICES", profile=0.5
    )
    faces = [[v.co.copy() for v in f.verts] for f in bm.faces]
    bm.free()
    with s.placed(loc, turn):
        for corners in faces:
            centre = sum(corners, Vector()) / len(corners)
            ring = []
            for a, b in zip(corners, corners[1:] + corners[:1], strict=False):
                ring += [a.lerp(b, k / 6) for k in range(6)]

            def fn(u: float, v: float, ring: list = ring, centre: Vector = centre) -> s.Point3:
                edge_point = ring[round(u * len(ring)) % len(ring)]
                p = centre.lerp(edge_point, v).normalized()
                return tuple(p * r * (1 - 0.035 * v**10))

            s.sheet(fn, len(ring), 10, dark if len(corners) == 5 else light)
        s.sphere(r * 0.968, (0, 0, 0), m.black())


@kind("football", yaw=10, elev=14)
def football(c: m.Colours, rng: random.Random) -> None:
    light = m.material(m.shade(c.main, 1.0), 0.35, pattern="grain", coat=0.2)
    dark = m.material(c.accent, 0.35, pattern="grain", coat=0.2)
    panels(1.0, (0, 0, 1.0), dark, light, (rng.uniform(0, 60), rng.uniform(0, 60), 20))


@kind("basketball", yaw=10, elev=14)
def basketball(c: m.Colours, rng: random.Random) -> None:
    skin, seam = m.material(c.main, 0.55, pattern="leather", scale=0.9), m.black(0.5)
    with s.placed((0, 0, 1.0), (18, 24, rng.uniform(10, 40))):
        s.sphere(1.0, (0, 0, 0), skin, steps=72)
        for rot in ((0, 0, 0), (90, 0, 0)):
            s.torus(1.0, 0.016, (0, 0, 0), seam, rot=rot)
        for side in (-1, 1):
            loop = []
            for k in range(48):
                a = 2 * math.pi * k / 48
                p = Vector((side * (0.62 - 0.16 * math.cos(2 * a)), math.cos(a), math.sin(a) * 1.1)).normalized()
                loop.append(tuple(p))
            s.tube(loop, 0.016, seam, closed=True, smooth=0)
        with s.placed((0, 0, 0), (55, 0, 30)):
            s.text("TARN", 0.26, (0, -0.985, 0), seam, depth=0.012)


@kind("dumbbell", yaw=30, elev=18)
def dumbbell(c: m.Colours, rng: random.Random) -> None:
    coat = m.material(c.main, 0.55, pattern="grain")
    for y, x, turn in ((-0.35, -0.1, 0), (0.5, 0.15, 14)):
        with s.placed((x, y, 0.36), (0, 0, turn)):
            s.lathe(
                [(0, -0.42), (0.075, -0.42), (0.085, -0.2), (0.095, 0), (0.085, 0.2), (0.075, 0.42), (0, 0.42)],
                m.steel(0.3),
                rot=(0, 90, 0),
                smooth=4,
            )
            for side in (-1, 1):
                hexagon = [
                    (0.40 * math.cos(math.radians(60 * k)), 0.40 * math.sin(math.radians(60 * k))) for k in range(6)
                ]
                s.prism(hexagon, 0.46, coat, (side * 0.62, 0, -0.014), (0, 90, 0), bevel=0.06, corner=0.05)
                s.cyl(0.22, 0.02, (side * 0.855, 0, -0.014), c.trim(), rot=(0, 90, 0), bevel=0.005)
                s.text("8 kg", 0.14, (side * 0.868, 0, -0.014), m.white(), rot=(90, 0, 90 * side))
                s.cyl(0.10, 0.05, (side * 0.38, 0, 0), m.steel(), rot=(0, 90, 0))


@kind("racket", yaw=14, elev=44, flat=True)
def racket(c: m.Colours, rng: random.Random) -> None:
    frame = m.material(c.main, 0.25, coat=0.7)
    with s.placed((0, 0, 0.12), (3, 0, 32)):
        loop = [
            (0.56 * math.cos(a) * (1 - 0.06 * math.sin(a)), 0.75 + 0.72 * math.sin(a), 0)
            for a in (2 * math.pi * k / 64 for k in range(64))
        ]
        s.tube(loop, 0.05, frame, closed=True, smooth=0)
        s.tube(loop[36:61], 0.052, c.trim(), smooth=0)
        strings = []
        for k in range(-9, 10):
            x = 0.056 * k
            dy = 0.72 * math.sqrt(max(0, 1 - (x / 0.56) ** 2))
            strings.append(((x, 0.75 - dy, 0), (x, 0.75 + dy, 0)))
        for k in range(-11, 12):
            y = 0.060 * k
            dx = 0.56 * math.sqrt(max(0, 1 - (y / 0.72) ** 2))
            strings.append(((-dx, 0.75 + y, 0.004), (dx, 0.75 + y, 0.004)))
        s.bars(strings, 0.0085, m.material("#f3ead2", 0.3))
        for side in (-1, 1):
            s.tube(
                [(side * 0.28, 0.13, 0), (side * 0.12, -0.18, 0), (side * 0.045, -0.45, 0), (side * 0.04, -0.6, 0)],
                0.048,
                frame,
            )
        s.loft(
            [
                s.oval(0, y, 0, r, r * 0.85, n=8, axis="y")
                for y, r in (
                    (-0.5, 0.075),
                    (-0.52, 0.088),
                    (-1.2, 0.086),
                    (-1.24, 0.105),
                    (-1.30, 0.105),
                    (-1.31, 0.09),
                )
            ],
            m.material(m.shade(c.accent, 0.5), 0.8, pattern="leather"),
        )
        s.tube(
            [(0.09 * math.cos(k * 0.6), -0.54 - 0.0115 * k, 0.078 * math.sin(k * 0.6)) for k in range(56)],
            0.007,
            m.black(),
        )
    fuzz = m.material("#d2e23a", 0.95, pattern="fluffy")
    for x, y in ((0.85, -0.35), (0.55, -0.75)):
        with s.placed((x, y, 0.16), (40 * x, 30, 20)):
            s.sphere(0.16, (0, 0, 0), fuzz)
            s.tube(
                [
                    tuple(Vector((math.cos(a), math.sin(a), 0.55 * math.sin(2 * a))).normalized() * 0.160)
                    for a in (2 * math.pi * k / 40 for k in range(40))
                ],
                0.008,
                m.white(),
                closed=True,
                smooth=0,
            )


@kind("skateboard", yaw=38, elev=30)
def skateboard(c: m.Colours, rng: random.Random) -> None:
    def deck(z_shift: float, grow: float):
        def fn(u: float, v: float) -> s.Point3:
            y = (2 * v - 1) * (1.5 + grow)
            half = (
                (0.38 + grow) * math.sqrt(max(0.0, 1 - max(0.0, (abs(y) - 1.12) / (0.38 + grow)) ** 2))
                if abs(y) > 1.12
                else 0.38 + grow
            )
            x = (2 * u - 1) * half
            lift = max(0.0, abs(y) - 0.98) ** 1.5 * 0.62
            return (y, x, 0.40 + lift + 0.18 * x * x + z_shift)

        return fn

    s.sheet(deck(0, 0), 12, 60, c.solid(("wood",), "wood"), thickness=0.05)
    s.sheet(deck(-0.032, -0.002), 12, 60, m.material(c.main, 0.35, coat=0.4), thickness=0.012)
    s.sheet(deck(0.032, -0.008), 12, 60, m.material("#1a1a1c", 0.95, pattern="grain", scale=0.4), thickness=0.01)
    for x in (-0.82, 0.82):
        s.box((0.34, 0.24, 0.05), (x, 0, 0.35), m.steel(0.35), bevel=0.01)
        s.box((0.14, 0.34, 0.10), (x, 0, 0.25), m.steel(0.35), bevel=0.03)
        s.cyl(0.055, 0.12, (x, 0, 0.30), c.trim(), bevel=0.02)
        s.tube([(x, -0.42, 0.17), (x, 0.42, 0.17)], 0.03, m.steel(), smooth=0)
        for y in (-0.36, 0.36):
            s.lathe(
                [(0.05, -0.09), (0.13, -0.09), (0.17, -0.05), (0.17, 0.05), (0.13, 0.09), (0.05, 0.09)],
                m.material(m.shade(c.accent, 1.4), 0.35),
                (x, y, 0.17),
                (90, 0, 0),
                bevel=0.02,
            )
            s.cyl(0.06, 0.17, (x, y, 0.17), m.steel(), rot=(90, 0, 0), bevel=0.01)
        for dx in (-0.11, 0.11):
            for y in (-0.08, 0.08):
                s.cyl(0.018, 0.02, (x + dx, y, 0.44), m.steel(), steps=12)


@kind("yoga_mat", yaw=30, elev=22)
def yoga_mat(c: m.Colours, rng: random.Random) -> None:
    mat = m.material(c.main, 0.85, pattern="grain", scale=0.4)
    roll = []
    turns = 4.2
    for k in range(150):
        a = 2 * math.pi * turns * k / 149
        r = 0.10 + 0.062 * a / (2 * math.pi)
        roll.append((r * math.cos(a), r * math.sin(a)))
    r = 0.10 + 0.062 * turns
    path = [(0, *p) for p in roll]
    shift = -min(p[2] for p in path)
    spiral = [(y, z + shift) for _, y, z in path]
    s.sheet(lambda u, v: ((u - 0.5) * 2.0, *_at(spiral, v)), 2, 300, mat, thickness=0.052)
    strap = c.trim("fabric", 2)
    centre = (sum(p[0] for p in spiral[-36:]) / 36, shift)
    for x in (-0.6, 0.6):
        s.lathe(
            [(r + 0.045, -0.05), (r + 0.065, -0.05), (r + 0.065, 0.05), (r + 0.045, 0.05)],
            strap,
            (x, centre[0], centre[1]),
            (0, 90, 0),
            bevel=0.005,
            closed=True,
        )
        s.box(
            (0.14, 0.05, 0.10),
            (x, centre[0] - (r + 0.05) * 0.7, centre[1] + (r + 0.05) * 0.7),
            m.black(),
            rot=(45, 0, 0),
            bevel=0.015,
        )
    s.tube(
        [
            (-0.6, centre[0], centre[1] + r + 0.06),
            (-0.35, centre[0], centre[1] + r + 0.32),
            (0.35, centre[0], centre[1] + r + 0.32),
            (0.6, centre[0], centre[1] + r + 0.06),
        ],
        0.03,
        strap,
    )
    s.box(
        (0.5, 0.3, 0.22),
        (1.35, -0.25, 0.11),
        m.material(m.shade(c.main, 0.7), 0.8, pattern="grain"),
        bevel=0.03,
        rot=(0, 0, 25),
    )


def _at(curve: list, v: float) -> tuple[float, float]:
    x = v * (len(curve) - 1)
    k = min(int(x), len(curve) - 2)
    return tuple(a + (b - a) * (x - k) for a, b in zip(curve[k], curve[k + 1], strict=False))


def bike_wheel(r: float, rim, tyre, spokes: int = 28, hub=None) -> None:
    """Spoked wheel around the y axis, centred on the origin."""
    with s.placed((0, 0, 0), (90, 0, 0)):
        s.torus(r, 0.045 * r / 0.6 if r < 1 else 0.06, (0, 0, 0), tyre, steps=96)
        s.torus(r * 0.925, 0.035 if r < 1 else 0.045, (0, 0, 0), rim, flat=0.7, steps=96)
        s.cyl(0.06, 0.18, (0, 0, 0), hub or m.steel(), bevel=0.01)
        for z in (-0.07, 0.07):
            s.cyl(0.09, 0.015, (0, 0, z), hub or m.steel(), bevel=0.004)
        pairs = []
        for k in range(spokes):
            a = 2 * math.pi * k / spokes
            b = a + (0.9 if k % 4 < 2 else -0.9)
            z = 0.07 if k % 2 else -0.07
            pairs.append(
                ((0.085 * math.cos(b), 0.085 * math.sin(b), z), (r * 0.91 * math.cos(a), r * 0.91 * math.sin(a), 0))
            )
        s.bars(pairs, 0.0055, m.steel(0.3))


@kind("bicycle", yaw=14, elev=8, focus=(0.5, -0.3, 0.5))
def bicycle(c: m.Colours, rng: random.Random) -> None:
    paint, dark = m.material(c.main, 0.22, coat=0.8), m.rubber()
    leather = m.material(m.shade(c.accent, 0.7), 0.5, pattern="leather")
    tyre = dark if rng.random() < 0.6 else m.material("#c9ae82", 0.8)
    r = 0.60
    rear, front, crank = (-0.92, 0, r), (0.95, 0, r), (-0.12, 0, 0.52)
    for hub in (rear, front):
        with s.placed(hub):
            bike_wheel(r - 0.03, m.steel(), tyre)
        s.tube(s.arc(r + 0.055, 20, 150, 24, hub), 0.022, paint, smooth=0)
    seat_top, head_top, head_low = (-0.36, 0, 1.25), (0.60, 0, 1.33), (0.66, 0, 1.10)
    step_through = rng.random() < 0.35
    for a, b, rr in ((crank, seat_top, 0.034), (head_low, crank, 0.038), (head_top, head_low, 0.042)):
        s.tube([a, b], rr, paint, smooth=0)
    s.tube(
        [(-0.30, 0, 1.06), (0.2, 0, 0.84), (0.63, 0, 1.22)] if step_through else [(-0.35, 0, 1.21), (0.61, 0, 1.27)],
        0.034,
        paint,
        smooth=8 if step_through else 0,
    )
    for y in (-0.07, 0.07):
        s.tube([(crank[0], y * 0.6, crank[2]), (rear[0], y, rear[2])], 0.02, paint, smooth=0)
        s.tube([(-0.34, y * 0.5, 1.18), (rear[0], y, rear[2])], 0.017, paint, smooth=0)
        s.tube([(0.67, y * 0.8, 1.06), (0.78, y, 0.9), (front[0], y, front[2])], 0.022, paint)
    s.tube([seat_top, (-0.415, 0, 1.42)], 0.024, m.steel(), smooth=0)
    with s.placed((-0.43, 0, 1.45), (0, 0, 180), 0.40):
        saddle_shape(leather)
    s.tube([head_top, (0.575, 0, 1.46), (0.66, 0, 1.48)], 0.024, m.steel())
    if rng.random() < 0.5:
        bar = [
            (0.42, -0.32, 1.50),
            (0.60, -0.28, 1.53),
            (0.68, -0.1, 1.48),
            (0.68, 0.1, 1.48),
            (0.60, 0.28, 1.53),
            (0.42, 0.32, 1.50),
        ]
        s.tube(bar, 0.02, m.steel())
        for side in (-1, 1):
            s.tube([(0.55, side * 0.295, 1.525), (0.40, side * 0.325, 1.498)], 0.032, leather, smooth=0)
    else:
        for side in (-1, 1):
            s.tube(
                [
                    (0.68, 0, 1.48),
                    (0.68, side * 0.24, 1.48),
                    (0.80, side * 0.26, 1.47),
                    (0.90, side * 0.26, 1.36),
                    (0.82, side * 0.27, 1.22),
                    (0.68, side * 0.27, 1.22),
                ],
                0.027,
                leather,
            )
    with s.placed((crank[0], -0.06, crank[2]), (90, 0, 0)):
        s.lathe([(0.13, -0.008), (0.165, -0.008), (0.165, 0.008), (0.13, 0.008)], m.steel(), closed=True)
        for k in range(5):
            s.box(
                (0.13, 0.025, 0.012),
                (0.075 * math.cos(1.257 * k), 0.075 * math.sin(1.257 * k), 0),
                m.steel(),
                rot=(0, 0, 72 * k),
                bevel=0.003,
            )
    s.tube([(crank[0], -0.06, crank[2] + 0.165), (rear[0], -0.06, rear[2] + 0.06)], 0.011, m.black(0.3), smooth=0)
    s.tube([(crank[0], -0.06, crank[2] - 0.165), (rear[0], -0.06, rear[2] - 0.06)], 0.011, m.black(0.3), smooth=0)
    for side, sign in ((-0.11, 1), (0.11, -1)):
        s.tube(
            [crank, (crank[0], side, crank[2]), (crank[0] + 0.16 * sign, side, crank[2] - 0.12 * sign)],
            0.017,
            m.steel(),
            smooth=0,
        )
        s.box((0.14, 0.10, 0.03), (crank[0] + 0.16 * sign, side * 1.7, crank[2] - 0.12 * sign), m.black(), bevel=0.008)
    s.cyl(0.06, 0.06, (0.72, 0, 1.30), m.material("#f4f1e2", 0.2, glow=0.3), rot=(0, 90, 0), bevel=0.02)


def saddle_shape(leather) -> None:
    """A bicycle saddle about 1.6 long, nose to -x."""
    rings = []
    for x, w, h in (
        (-0.85, 0.05, 0.05),
        (-0.82, 0.11, 0.09),
        (-0.5, 0.15, 0.12),
        (-0.1, 0.22, 0.15),
        (0.25, 0.42, 0.17),
        (0.55, 0.55, 0.19),
        (0.72, 0.50, 0.17),
        (0.78, 0.38, 0.10),
    ):
        z = 0.03 * math.cos(3 * x) + (0.05 if x > 0.3 else 0)
        rings.append(
            [
                (x, y * w, z + t * h)
                for y, t in (
                    (-0.92, -1.3),
                    (-1, -0.5),
                    (-0.9, 0.25),
                    (-0.5, 0.55),
                    (0, 0.5),
                    (0.5, 0.55),
                    (0.9, 0.25),
                    (1, -0.5),
                    (0.92, -1.3),
                    (0.5, -0.3),
                    (0, -0.2),
                    (-0.5, -0.3),
                )
            ]
        )
    s.loft(rings, leather)


@kind("saddle", yaw=34, elev=22)
def saddle(c: m.Colours, rng: random.Random) -> None:
    leather = m.material(c.main, 0.42, pattern="leather", coat=0.15)
    with s.placed((0, 0, 0.72), (0, 4, 0)):
        saddle_shape(leather)
        for k in range(5):
            a = -0.44 + 0.22 * k
            s.sphere(0.035, (0.70 - 0.15 * abs(a), a, 0.14 - 0.2 * a * a), m.brass(), scale=(1, 1, 0.5), steps=20)
        s.sphere(0.035, (-0.74, 0, 0.055), m.brass(), scale=(1, 1, 0.5), steps=20)
        for y in (-0.12, 0.12):
            s.tube(
                [(-0.75, y * 0.3, -0.08), (-0.35, y, -0.36), (0.25, y, -0.38), (0.62, y * 2.2, -0.10)], 0.028, m.steel()
            )
        for side in (-1, 1):
            coil = [
                (0.55 + 0.09 * math.cos(t * 0.7), side * 0.26 + 0.09 * math.sin(t * 0.7), -0.32 + 0.008 * t)
                for t in range(30)
            ]
            s.tube(coil, 0.018, m.steel(), smooth=0)
        s.box((0.22, 0.34, 0.10), (-0.05, 0, -0.38), m.black(), bevel=0.02)
        s.cyl(0.085, 0.32, (-0.05, 0, -0.56), c.trim("metal"), bevel=0.01)


@kind("bike_helmet", yaw=34, elev=16)
def bike_helmet(c: m.Colours, rng: random.Random) -> None:
    shell, foam = m.material(c.main, 0.28, coat=0.7), m.black(0.8)

    def dome(u: float, v: float, grow: float = 1.0) -> s.Point3:
        a = 2 * math.pi * u
        t = v * math.radians(98)
        x, y, z = math.sin(t) * math.cos(a) * 1.0, math.sin(t) * math.sin(a) * 0.78, math.cos(t) * 0.80
        tail = 1 + 0.10 * max(0, x) * (1 if z < 0.6 else 0.5)
        return (x * tail * grow, y * grow, (z + 0.08 * max(0, x)) * grow)

    with s.placed((0, 0, 0.18), (0, 0, 90)):
        s.sheet(lambda u, v: dome(u, v, 0.93), 60, 30, foam, thickness=0.05)
        # shell strips with vents between them
        for k in range(-3, 4):
            centre = k * 0.235
            for x0, x1 in (
                ((-1.0, -0.30), (-0.22, 0.42), (0.50, 1.0))
                if k % 2
                else ((-1.02, -0.62), (-0.54, 0.10), (0.18, 0.72), (0.78, 1.02))
            ):

                def strip(u: float, v: float, centre: float = centre, x0: float = x0, x1: float = x1) -> s.Point3:
                    px = x0 + (x1 - x0) * v
                    py = centre * (1 - 0.25 * px * px) + (2 * u - 1) * 0.088 * (
                        0.55 + 0.45 * math.sin(math.pi * v) ** 0.4
                    )
                    f = max(0.0, 1 - (px / 1.04) ** 2 - (py / 0.84) ** 2)
                    n = math.sqrt((px / 1.04) ** 2 + (py / 0.84) ** 2)
                    if f <= 0.01:
                        px, py = px / n * 0.995, py / n * 0.995
                        f = 0.01
                    return (px, py, 0.82 * math.sqrt(f))

                part = s.sheet(strip, 8, 16, shell, thickness=0.07)
                s.subdivide(part, 1)
        s.tube(
            [
                (1.05 * math.cos(a), 0.82 * math.sin(a), -0.03 + 0.05 * math.cos(a))
                for a in (2 * math.pi * k / 48 for k in range(48))
            ],
            0.075,
            shell,
            closed=True,
            smooth=0,
        )
        s.tube(
            [
                (1.10 * math.cos(a), 0.87 * math.sin(a), 0.0 + 0.05 * math.cos(a))
                for a in (2 * math.pi * k / 48 for k in range(48))
            ],
            0.03,
            c.trim(),
            closed=True,
            smooth=0,
        )
        s.tube(
            [
                (0.35, -0.78, -0.05),
                (0.15, -0.6, -0.15),
                (0.0, -0.3, -0.17),
                (-0.3, 0, -0.17),
                (0.0, 0.4, -0.17),
                (0.35, 0.78, -0.05),
            ],
            0.025,
            m.black(0.8),
        )


@kind("bike_light", yaw=32, elev=20)
def bike_light(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("metal", "plastic"), "plastic")

    def lamp(glow, tint, length: float) -> None:
        s.lathe(
            [
                (0, 0),
                (0.36, 0),
                (0.40, 0.1),
                (0.42, length - 0.12),
                (0.45, length),
                (0.38, length),
                (0.36, length - 0.05),
            ],
            body,
            bevel=0.03,
        )
        s.lathe([(0.37, length - 0.03), (0.15, length - 0.2), (0, length - 0.22)], m.steel(0.08))
        s.sphere(0.12, (0, 0, length - 0.16), m.material(glow, 0.3, glow=5))
        s.lathe(
            [(0, length + 0.01), (0.3, length - 0.005), (0.385, length - 0.03)],
            m.material(tint, 0.03, transmission=0.9, glow=0.25),
            smooth=6,
        )
        s.torus(0.43, 0.03, (0, 0, length - 0.05), c.trim())
        for k in range(6):
            s.torus(0.41, 0.02, (0, 0, 0.2 + 0.09 * k), m.black())

    with s.placed((-0.35, 0, 0.62), (82, 0, 0)), s.placed((0, 0, -0.6)):
        lamp("#fff6df", "#f4f6f4", 1.15)
    s.slab(0.16, 0.10, 0.05, (-0.35, 0.0, 1.06), m.rubber(), r=0.04)
    s.box((0.3, 0.34, 0.16), (-0.35, 0.15, 0.22), m.black(), bevel=0.04)
    s.torus(0.16, 0.05, (-0.35, 0.15, 0.16), m.rubber(), rot=(0, 90, 0), flat=1.6)
    with s.placed((0.62, -0.15, 0.36), (80, 0, -12), 0.78), s.placed((0, 0, -0.25)):
        lamp("#ff3020", "#d01810", 0.55)
    s.box((0.2, 0.2, 0.12), (0.65, 0.05, 0.06), m.black(), bevel=0.03)


@kind("wheel", yaw=32, elev=8, focus=(0, -0.5, 0.1))
def wheel(c: m.Colours, rng: random.Random) -> None:
    with s.placed((0, 0, 1.06)):
        bike_wheel(
            1.0,
            c.solid(("metal", "wood"), "metal"),
            m.rubber() if rng.random() < 0.7 else m.material("#c9ae82", 0.8),
            32,
            c.trim("metal"),
        )
        with s.placed((0, 0.13, 0), (90, 0, 0)):
            for k in range(6):
                r = 0.13 + 0.022 * k
                teeth = [
                    (
                        (r + (0.012 if j % 2 else 0)) * math.cos(math.pi * j / 18),
                        (r + (0.012 if j % 2 else 0)) * math.sin(math.pi * j / 18),
                    )
                    for j in range(36)
                ]
                s.prism(teeth, 0.012, m.steel(0.35), (0, 0, 0.10 - 0.024 * k), bevel=0.003)
        s.tube([(0, -0.18, 0), (0, 0.28, 0)], 0.03, m.steel(), smooth=0)
        with s.placed((0, 0, 0), (0, 30, 0)):
            s.tube([(0, -0.04, -0.88), (0, -0.04, -0.80)], 0.012, m.black(), smooth=0)
