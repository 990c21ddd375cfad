"""The platforms that a release has, and the names of what is made for them."""

import json
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "headroom"
PACKAGE = "headroom-rs-cli"
SUMMARY = "Makes the prompts in LLM requests smaller: proxy and command line"
TARGETS = json.loads((ROOT / "packaging/targets.json").read_text())
LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"]
# The oldest time that a zip archive can hold: the same binary gives the same packages.
EPOCH = max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800)


def manifest():
    """Returns what all crates share."""
    text = (ROOT / "Cargo.toml").read_text().split("[workspace.package]\n")[1].split("\n\n")[0]
    # Without a reader of TOML, which not every Python here has.
    return dict(re.findall(r'(?m)^([\w-]+) = \[?"([^"]+)"\]?$', text))


def version():
    return manifest()["version"]


def python_version():
    """Returns the version as Python writes it: 1.2.0-rc.1 is 1.2.0rc1."""
    return re.sub(r"-(alpha|beta|rc)\.?", lambda kind: {"alpha": "a", "beta": "b", "rc": "rc"}[kind[1]], version())


def debian_version():
    """Returns the version as Debian sorts it: a pre-release comes before its release."""
    return version().replace("-", "~", 1)


def is_windows(target):
    return "windows" in target


def program(target):
    return PROGRAM + (".exe" if is_windows(target) else "")


def stem(target):
    """Returns the name of an archive without its ending, which is the folder in it too."""
    return f"{PROGRAM}-{version()}-{target}"


def archive(target):
    return stem(target) + (".zip" if is_windows(target) else ".tar.gz")


def oldest_glibc():
    """Returns the oldest glibc that the binaries for it run on."""
    (found,) = {re.search(r"manylinux_(\d+)_(\d+)", row["wheel"]).groups() for name, row in TARGETS.items() if name.endswith("-gnu")}
    return tuple(map(int, found))


def needed_glibc(binary):
    """Returns the glibc that a binary for it needs, and at least that of the table."""
    needed = {tuple(map(int, pair)) for pair in re.findall(rb"GLIBC_(\d+)\.(\d+)", binary)}
    return max(needed | {oldest_glibc()})


def wheel_tag(target, binary):
    """Returns the platform of the wheel with this binary."""
    tag = TARGETS[target]["wheel"]
    if not target.endswith("-gnu"):
        return tag
    major, minor = needed_glibc(binary)
    return re.sub(r"manylinux_\d+_\d+", f"manylinux_{major}_{minor}", tag)


def check(target, binary):
    """Fails if a binary is not what the table says of its platform."""
    if target.endswith("-gnu") and (needed := needed_glibc(binary)) > oldest_glibc():
        raise SystemExit(f"the binary for {target} needs glibc {needed}, and the table says {oldest_glibc()}")
    if target.endswith("-musl") and re.search(rb"/ld-musl-\w+\.so", binary):
        raise SystemExit(f"the binary for {target} is not static")
