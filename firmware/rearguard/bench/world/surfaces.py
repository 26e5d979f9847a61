"""What sound and light make of the things in the world.

`sonar_db`: how much weaker than from a hard surface an echo at 40 kHz is. `rough_db`: likewise for what is scattered
in all directions; a smooth surface is a mirror to waves of 8.6 mm and scatters next to nothing.
`reflectivity`: share of the light at 905 nm that comes back; clear glass lets it through.
`wander_m`: deviation of the place that answers, between the folds of a coat or the twigs of a hedge.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

SurfaceName: TypeAlias = Literal[
    "plaster", "brick", "wood", "steel", "glass", "coat", "skin", "sofa", "hedge", "fence", "stone"
]


class Surface(NamedTuple):
    """One kind of surface."""

    sonar_db: float
    rough_db: float
    reflectivity: float
    wander_m: float = 0.0
    clear: bool = False


MIRROR = 60.0  # of a smooth surface, next to nothing is scattered (assumed)

# Reflectivities: usual figures of LiDAR makers (TF-Luna A03 names 90 % white, 10 % black). Echo losses: field notes say
# that soft loose cloth is nearly invisible; the decibels are assumed, so that a coat is lost beyond 2 m.
SURFACES: dict[SurfaceName, Surface] = {
    "plaster": Surface(0.0, MIRROR, 0.8),
    "brick": Surface(1.0, 34.0, 0.4),  # joints of 1 cm scatter a little (assumed)
    "wood": Surface(1.0, MIRROR, 0.5),
    "stone": Surface(0.0, 40.0, 0.4),
    "steel": Surface(0.0, MIRROR, 0.4),
    "glass": Surface(0.0, MIRROR, 0.05, clear=True),
    "coat": Surface(14.0, 30.0, 0.3, wander_m=0.015),
    "skin": Surface(4.0, 30.0, 0.5, wander_m=0.005),
    "sofa": Surface(24.0, 40.0, 0.05, wander_m=0.01),
    "hedge": Surface(40.0, 22.0, 0.5, wander_m=0.04),  # no face to mirror, only twigs
    "fence": Surface(40.0, 30.0, 0.3, wander_m=0.02),  # wires of 3 mm: most of the wave goes on
}
