"""What a card of Raspberry Pi OS Trixie holds once it is flashed: cloud-init, told to read the boot partition.

Debian's cloud-init stands for Raspberry Pi OS's, and is set up as there (github.com/RPi-Distro/pi-gen,
stage2/04-cloud-init).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from arch import AMD64
from image import HERE, Image, build, debian, made, release, root

BOOT = "boot/firmware"  # a folder of the root here: nothing asks what it is
CLOUD = """# As on a card of Raspberry Pi OS; there is no network here that could be set up.
datasource_list: [NoCloud, None]
datasource:
  NoCloud:
    seedfrom: file:///boot/firmware/
locale: C.UTF-8
ssh_deletekeys: false
ssh_genkeytypes: []
network:
  config: disabled
"""
META = "dsmode: local\ninstance_id: rpios-image\n"
CONFIG_TXT = "dtparam=audio=on\ndtoverlay=vc4-kms-v3d\n[all]\n"
CMDLINE_TXT = "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootfstype=ext4 fsck.repair=yes rootwait\n"


def flashed() -> Image:
    """A belt whose root has cloud-init and no Rearguard; the release and user-data lie on its boot partition."""
    base, plain, shipped = build(), debian(AMD64, "cloud-init"), release(AMD64)
    parts = [plain.name, shipped.parent.name, *(path.read_text() for path in (Path(__file__), HERE / "image.py"))]
    card = made("flashed", parts, lambda to: root(plain, to, lambda tree: _card(shipped, tree)))
    return base._replace(root=card / "root.ext4")


def _card(shipped: Path, tree: Path) -> None:
    """What a maker lays onto the boot partition, beside what is there."""
    boot = tree / BOOT
    boot.mkdir(parents=True)
    shutil.copytree(shipped, boot / "rearguard")
    shutil.copy(boot / "rearguard/user-data", boot)
    for name, text in {"meta-data": META, "config.txt": CONFIG_TXT, "cmdline.txt": CMDLINE_TXT}.items():
        (boot / name).write_text(text)
    (tree / "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg").write_text(CLOUD)
