"""Shapes for the product pictures, built as Blender meshes and curves.

Conventions: lengths in scene units (an object is about 2 units large), angles in degrees,
z up, the front of an object looks towards -y. Every function adds what it makes to the scene.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bmesh
import bpy
from mathutils import Euler, Vector

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]
_parents: list[bpy.types.Object] = []


def _add(name: str, data, mat, loc: Point3, rot: Point3) -> bpy.types.Object:
    obj = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(obj)
    obj.location = loc
    obj.rotation_euler = Euler([math.radians(a) for a in rot])
    if mat is not None and data is not None:
        data.materials.append(mat)
    if _parents:
        obj.parent = _parents[-1]
    return obj


@contextmanager
def placed(loc: Point3 = (0, 0, 0), rot: Point3 = (0, 0, 0), scale: float | Point3 = 1.0) -> Iterator[bpy.types.Object]:
    """Group: everything made inside is moved, turned and scaled together."""
    empty = _add("group", None, None, loc, rot)
    empty.scale = (scale,) * 3 if isinstance(scale, (int, float)) else scale
    _parents.append(empty)
    try:
        yield empty
    finally:
        _parents.pop()


def _mesh(
    bm: bmesh.types.BMesh, mat, loc: Point3, rot: Point3, sharp: float = 40.0, weighted: bool = True
) -> bpy.types.Object:
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces)
    mesh = bpy.data.meshes.new("shape")
    bm.to_mesh(mesh)
    bm.free()
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=math.radians(sharp))
    obj = _add("shape", mesh, mat, loc, rot)
    if weighted:
        # large flat faces keep their own normal, so that bevels look like bevels and not like dents
        obj.modifiers.new("normals", "WEIGHTED_NORMAL").keep_sharp = True
    return obj


def spline(points: Sequence[Sequence[float]], n: int = 8, closed: bool = False) -> list[tuple[float, ...]]:
    """Catmull-Rom curve through the points, n samples a segment (2-D or 3-D)."""
    pts = [tuple(p) for p in points]
    if len(pts) < 3:
        return pts
    count = len(pts)
    out = []
    for i in range(count if closed else count - 1):
        if closed:
            a, b, c, d = (pts[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            a, b, c, d = pts[max(i - 1, 0)], pts[i], pts[i + 1], pts[min(i + 2, count - 1)]
        for k in range(n):
            t = k / n
            out.append(
                tuple(
                    0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t**3)
                    for p, q, r, s in zip(a, b, c, d, strict=False)
                )
            )
    if not closed:
        out.append(pts[-1])
    return out


def rounded(points: Sequence[Point2], radius: float, closed: bool = True, n: int = 5) -> list[Point2]:
    """The polyline with its corners cut by small arcs."""
    if radius <= 0:
        return [tuple(p) for p in points]
    out: list[Point2] = []
    count = len(points)
    for i, p in enumerate(points):
        if not closed and i in (0, count - 1):
            out.append(tuple(p))
            continue
        v = Vector(p)
        a, b = Vector(points[i - 1]) - v, Vector(points[(i + 1) % count]) - v
        r = min(radius, a.length * 0.49, b.length * 0.49)
        if r < 1e-5 or a.angle(b, math.pi) > math.radians(165):
            out.append(tuple(p))
            continue
        s, e = v + a.normalized() * r, v + b.normalized() * r
        for k in range(n + 1):
            t = k / n
            out.append(tuple(s * (1 - t) ** 2 + v * 2 * t * (1 - t) + e * t * t))
    return out


def box(
    size: Point3,
    loc: Point3 = (0, 0, 0),
    mat=None,
    bevel: float = 0.02,
    rot: Point3 = (0, 0, 0),
    segs: int = 3,
    taper: Point2 = (1.0, 1.0),
) -> bpy.types.Object:
    """Box centred on loc; taper scales the top face."""
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1)
    for v in bm.verts:
        tx, ty = taper if v.co.z > 0 else (1, 1)
        v.co = Vector((v.co.x * size[0] * tx, v.co.y * size[1] * ty, v.co.z * size[2]))
    bevel = min(bevel, min(size) * 0.49)
    if bevel > 0:
        bmesh.ops.bevel(
            bm, geom=list(bm.edges), offset=bevel, segments=segs, profile=0.5, affect="EDGES", clamp_overlap=True
        )
    return _mesh(bm, mat, loc, rot)


def soft_box(
    size: Point3, loc: Point3 = (0, 0, 0), mat=None, rot: Point3 = (0, 0, 0), crease: float = 0.5, wrinkles: float = 0.0
) -> bpy.types.Object:
    """Box with puffy rounded sides, for upholstery and bags; crease 0 (ball) to 1 (box)."""
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1)
    bmesh.ops.subdivide_edges(bm, edges=list(bm.edges), cuts=11, use_grid_fill=True)
    power = 2.0 / max(1e-3, (1 - crease)) + 0.01
    for v in bm.verts:
        d = v.co * 2
        norm = (abs(d.x) ** power + abs(d.y) ** power + abs(d.z) ** power) ** (1 / power)
        v.co = Vector((d.x / norm * size[0] / 2, d.y / norm * size[1] / 2, d.z / norm * size[2] / 2))
    obj = _mesh(bm, mat, loc, rot, sharp=180, weighted=False)
    subdivide(obj, 1)
    if wrinkles:
        wrinkle(obj, wrinkles, 0.5)
    return obj


def cyl(
    r: float,
    h: float,
    loc: Point3 = (0, 0, 0),
    mat=None,
    bevel: float = 0.01,
    r2: float | None = None,
    rot: Point3 = (0, 0, 0),
    steps: int = 64,
) -> bpy.types.Object:
    """Cylinder or cone (r below, r2 above) centred on loc, axis z."""
    top = r if r2 is None else r2
    return lathe([(0, -h / 2), (r, -h / 2), (top, h / 2), (0, h / 2)], mat, loc, rot, bevel=bevel, steps=steps)


def lathe(
    profile: Sequence[Point2],
    mat=None,
    loc: Point3 = (0, 0, 0),
    rot: Point3 = (0, 0, 0),
    bevel: float = 0.0,
    smooth: int = 0,
    steps: int = 64,
    closed: bool = False,
    squash: float = 1.0,
    sharp: float = 40.0,
) -> bpy.types.Object:
    """Body of revolution around z of a profile of (radius, z); squash scales y."""
    pts = spline(profile, smooth, closed) if smooth else rounded(profile, bevel, closed)
    bm = bmesh.new()
    rings = []
    for r, z in pts:
        if r < 1e-6:
            rings.append([bm.verts.new((0, 0, z))])
        else:
            rings.append(
                [
                    bm.verts.new((r * math.cos(a), r * math.sin(a) * squash, z))
                    for a in (2 * math.pi * k / steps for k in range(steps))
                ]
            )
    pairs = list(itertools.pairwise(rings)) + ([(rings[-1], rings[0])] if closed else [])
    for a, b in pairs:
        for k in range(steps):
            j = (k + 1) % steps
            corners = [a[k % len(a)], a[j % len(a)], b[j % len(b)], b[k % len(b)]]
            unique = list(dict.fromkeys(corners))
            if len(unique) > 2:
                bm.faces.new(unique)
    bmesh.ops.remove_doubles(bm, verts=bm.verts, dist=1e-6)
    return _mesh(bm, mat, loc, rot, sharp=sharp, weighted=False)


def sphere(
    r: float, loc: Point3 = (0, 0, 0), mat=None, scale: Point3 = (1, 1, 1), rot: Point3 = (0, 0, 0), steps: int = 48
) -> bpy.types.Object:
    bm = bmesh.new()
    bmesh.ops.create_uvsphere(bm, u_segments=steps, v_segments=steps // 2, radius=r)
    obj = _mesh(bm, mat, loc, rot, sharp=180, weighted=False)
    obj.scale = scale
    return obj


def torus(
    big: float,
    small: float,
    loc: Point3 = (0, 0, 0),
    mat=None,
    rot: Point3 = (0, 0, 0),
    flat: float = 1.0,
    steps: int = 72,
) -> bpy.types.Object:
    """Ring in the xy plane; flat scales the height of its cross-section."""
    circle = [
        (big + small * math.cos(a), small * flat * math.sin(a)) for a in (2 * math.pi * k / 20 for k in range(20))
    ]
    return lathe(circle, mat, loc, rot, steps=steps, closed=True, sharp=180)


def tube(
    points: Sequence[Point3],
    r: float,
    mat=None,
    loc: Point3 = (0, 0, 0),
    rot: Point3 = (0, 0, 0),
    smooth: int = 10,
    closed: bool = False,
    radii: Sequence[float] | None = None,
) -> bpy.types.Object:
    """Round bar along a curve; radii are factors of r at the given points."""
    data = [tuple(p) + ((radii[i],) if radii else (1.0,)) for i, p in enumerate(points)]
    pts = spline(data, smooth, closed) if smooth else data
    curve = bpy.data.curves.new("tube", "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth, curve.bevel_resolution, curve.use_fill_caps = r, 6, True
    line = curve.splines.new("POLY")
    line.points.add(len(pts) - 1)
    for p, (x, y, z, f) in zip(line.points, pts, strict=False):
        p.co, p.radius = (x, y, z, 1), f
    line.use_cyclic_u, line.use_smooth = closed, True
    return _add("tube", curve, mat, loc, rot)


def bars(
    pairs: Sequence[tuple[Point3, Point3]], r: float, mat=None, loc: Point3 = (0, 0, 0), rot: Point3 = (0, 0, 0)
) -> bpy.types.Object:
    """Many straight round bars as one object: spokes, strings, stitches, bristles."""
    curve = bpy.data.curves.new("bars", "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth, curve.bevel_resolution, curve.use_fill_caps = r, 2, True
    for a, b in pairs:
        line = curve.splines.new("POLY")
        line.points.add(1)
        line.points[0].co, line.points[1].co = (*a, 1), (*b, 1)
        line.use_smooth = True
    return _add("bars", curve, mat, loc, rot)


def stitches(
    points: Sequence[Point3], mat=None, length: float = 0.05, r: float = 0.006, closed: bool = False, **place
) -> bpy.types.Object:
    """A dashed seam along a polyline."""
    pts = [Vector(p) for p in points] + ([Vector(points[0])] if closed else [])
    pairs, on, left = [], True, length
    for a, b in itertools.pairwise(pts):
        span = (b - a).length
        done = 0.0
        while span - done > 1e-6:
            step = min(left, span - done)
            if on:
                pairs.append((tuple(a.lerp(b, done / span)), tuple(a.lerp(b, (done + step) / span))))
            done, left = done + step, left - step
            if left <= 1e-6:
                on, left = not on, (length if not on else length * 0.7)
    return bars(pairs, r, mat, **place)


def prism(
    outline: Sequence[Point2] | Sequence[Sequence[Point2]],
    depth: float,
    mat=None,
    loc: Point3 = (0, 0, 0),
    rot: Point3 = (0, 0, 0),
    bevel: float = 0.01,
    corner: float = 0.0,
    smooth: int = 0,
    upright: bool = False,
) -> bpy.types.Object:
    """Flat shape of the given outline (further outlines are holes) and thickness, centred on its middle plane.

    Lies in the xy plane; upright=True stands it in xz, front to -y.
    """
    loops = [outline] if isinstance(outline[0][0], (int, float)) else outline
    curve = bpy.data.curves.new("prism", "CURVE")
    curve.dimensions, curve.fill_mode = "2D", "BOTH"
    bevel = min(bevel, depth * 0.49)
    curve.extrude, curve.bevel_depth, curve.bevel_resolution, curve.offset = depth / 2 - bevel, bevel, 3, -bevel
    for loop in loops:
        pts = spline(loop, smooth, True) if smooth else rounded(loop, corner)
        line = curve.splines.new("POLY")
        line.points.add(len(pts) - 1)
        for p, (x, y) in zip(line.points, pts, strict=False):
            p.co = (x, y, 0, 1)
        line.use_cyclic_u, line.use_smooth = True, True
    if upright:
        rot = (rot[0] + 90, rot[1], rot[2])
    return _add("prism", curve, mat, loc, rot)


def rect(w: float, h: float, r: float = 0.0, x: float = 0.0, y: float = 0.0) -> list[Point2]:
    """Outline of a rounded rectangle."""
    return rounded([(x - w / 2, y - h / 2), (x + w / 2, y - h / 2), (x + w / 2, y + h / 2), (x - w / 2, y + h / 2)], r)


def circle(r: float, x: float = 0.0, y: float = 0.0, n: int = 48, ry: float | None = None) -> list[Point2]:
    ry = r if ry is None else ry
    return [(x + r * math.cos(2 * math.pi * k / n), y + ry * math.sin(2 * math.pi * k / n)) for k in range(n)]


def slab(
    w: float,
    h: float,
    depth: float,
    loc: Point3 = (0, 0, 0),
    mat=None,
    r: float = 0.1,
    bevel: float = 0.02,
    rot: Point3 = (0, 0, 0),
    upright: bool = False,
) -> bpy.types.Object:
    """Rounded rectangle plate, w along x, h along y (z when upright)."""
    return prism(rect(w, h, r), depth, mat, loc, rot, bevel=bevel, upright=upright)


def loft(
    rings: Sequence[Sequence[Point3]],
    mat=None,
    loc: Point3 = (0, 0, 0),
    rot: Point3 = (0, 0, 0),
    caps: bool = True,
    subdiv: int = 2,
    thickness: float = 0.0,
    sharp: float = 180.0,
) -> bpy.types.Object:
    """Skin over cross-sections with equally many points each."""
    bm = bmesh.new()
    rows = [[bm.verts.new(p) for p in ring] for ring in rings]
    n = len(rows[0])
    for a, b in itertools.pairwise(rows):
        for k in range(n):
            bm.faces.new((a[k], a[(k + 1) % n], b[(k + 1) % n], b[k]))
    if caps:
        bm.faces.new(rows[0])
        bm.faces.new(rows[-1])
    obj = _mesh(bm, mat, loc, rot, sharp=sharp, weighted=False)
    if thickness:
        solid = obj.modifiers.new("solid", "SOLIDIFY")
        solid.thickness, solid.offset = thickness, -1
    if subdiv:
        subdivide(obj, subdiv)
    return obj


def oval(
    cx: float, cy: float, cz: float, rx: float, ry: float, n: int = 16, power: float = 2.0, axis: str = "z"
) -> list[Point3]:
    """Superellipse cross-section around a centre; axis is the direction it faces."""
    out = []
    for k in range(n):
        a = 2 * math.pi * (k + 0.5) / n
        c, s = math.cos(a), math.sin(a)
        u = rx * math.copysign(abs(c) ** (2 / power), c)
        v = ry * math.copysign(abs(s) ** (2 / power), s)
        out.append({"z": (cx + u, cy + v, cz), "y": (cx + u, cy, cz + v), "x": (cx, cy + u, cz + v)}[axis])
    return out


def sheet(
    fn,
    nu: int,
    nv: int,
    mat=None,
    loc: Point3 = (0, 0, 0),
    rot: Point3 = (0, 0, 0),
    thickness: float = 0.0,
    subdiv: int = 0,
) -> bpy.types.Object:
    """Surface of fn(u, v) -> point for u, v in 0..1; for cloth, leaves and domes."""
    bm = bmesh.new()
    rows = [[bm.verts.new(fn(i / nu, j / nv)) for i in range(nu + 1)] for j in range(nv + 1)]
    for j in range(nv):
        for i in range(nu):
            bm.faces.new((rows[j][i], rows[j][i + 1], rows[j + 1][i + 1], rows[j + 1][i]))
    bmesh.ops.remove_doubles(bm, verts=bm.verts, dist=1e-5)
    obj = _mesh(bm, mat, loc, rot, sharp=180, weighted=False)
    if thickness:
        solid = obj.modifiers.new("solid", "SOLIDIFY")
        solid.thickness, solid.offset = thickness, 0
    if subdiv:
        subdivide(obj, subdiv)
    return obj


def pillow(
    w: float,
    d: float,
    h: float,
    mat=None,
    loc: Point3 = (0, 0, 0),
    rot: Point3 = (0, 0, 0),
    pinch: float = 0.07,
    wrinkles: float = 0.02,
) -> bpy.types.Object:
    """Stuffed cushion w x d, h thick, with pulled corners."""

    def half(sign: int):
        def fn(u: float, v: float) -> Point3:
            x, y = 2 * u - 1, 2 * v - 1
            lift = max(0.0, (1 - abs(x) ** 2.6) * (1 - abs(y) ** 2.6)) ** 0.55
            px = x * (1 - pinch * (1 - y * y))
            py = y * (1 - pinch * (1 - x * x))
            return (px * w / 2, py * d / 2, sign * lift * h / 2)

        return fn

    with placed(loc, rot) as group:
        for sign in (-1, 1):
            part = sheet(half(sign), 36, 36, mat)
            subdivide(part, 1)
            if wrinkles:
                wrinkle(part, wrinkles, 0.35)
        edge = [(-1, -1), (0, -1 + pinch), (1, -1), (1 - pinch, 0), (1, 1), (0, 1 - pinch), (-1, 1), (-1 + pinch, 0)]
        tube([(x * w / 2, y * d / 2, 0) for x, y in edge], h * 0.035, mat, closed=True)
    return group


def leaf(
    length: float, width: float, mat=None, loc: Point3 = (0, 0, 0), rot: Point3 = (0, 0, 0), bend: float = 0.5
) -> bpy.types.Object:
    """A leaf growing along +y from its origin, drooping by bend."""

    def fn(u: float, v: float) -> Point3:
        half = width / 2 * math.sin(math.pi * min(1, v**0.8 * 0.98 + 0.02)) ** 0.8
        x = (2 * u - 1) * half
        return (x, length * v * (1 - 0.25 * bend * v), length * bend * (0.55 * v - v * v) + abs(x) * 0.35)

    return sheet(fn, 6, 12, mat, loc, rot)


def text(
    words: str, size: float, loc: Point3 = (0, 0, 0), mat=None, rot: Point3 = (90, 0, 0), depth: float = 0.002
) -> bpy.types.Object:
    """Raised letters centred on loc; stands upright facing -y unless turned."""
    data = bpy.data.curves.new("text", "FONT")
    data.body, data.size, data.extrude = words, size, depth
    data.align_x, data.align_y = "CENTER", "CENTER"
    return _add("text", data, mat, loc, rot)


def subdivide(obj: bpy.types.Object, levels: int = 1) -> None:
    mod = obj.modifiers.new("subdivide", "SUBSURF")
    mod.levels = mod.render_levels = levels


def wrinkle(obj: bpy.types.Object, strength: float, size: float) -> None:
    """Uneven surface, for cloth and hand-made things."""
    tex = bpy.data.textures.new("wrinkle", "CLOUDS")
    tex.noise_scale, tex.noise_depth = size, 2
    mod = obj.modifiers.new("wrinkle", "DISPLACE")
    mod.texture, mod.strength, mod.mid_level = tex, strength, 0.5


def arc(r: float, start: float, end: float, n: int = 24, loc: Point3 = (0, 0, 0), plane: str = "xz") -> list[Point3]:
    """Points on a circle arc, angles in degrees."""
    out = []
    for k in range(n + 1):
        a = math.radians(start + (end - start) * k / n)
        u, v = r * math.cos(a), r * math.sin(a)
        x, y, z = {"xz": (u, 0, v), "xy": (u, v, 0), "yz": (0, u, v)}[plane]
        out.append((loc[0] + x, loc[1] + y, loc[2] + z))
    return out
