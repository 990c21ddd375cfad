"""Finds and runs the program `headroom` that this package carries."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
from typing import Iterator

__all__ = ["find_headroom", "main"]

_NAME = "headroom.exe" if os.name == "nt" else "headroom"


def _folders() -> Iterator[pathlib.Path]:
    """The folders that installers put programs into, the most likely one first."""
    yield pathlib.Path(sysconfig.get_path("scripts"))
    yield pathlib.Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    packages = pathlib.Path(__file__).resolve().parent.parent
    yield packages / "bin"  # of `pip install --target`
    # Of `pip install --prefix`: the packages are in lib/python3.x/site-packages, or in Lib/site-packages.
    up, name = (1, "Scripts") if os.name == "nt" else (2, "bin")
    if len(packages.parents) > up:
        yield packages.parents[up] / name


def find_headroom() -> str:
    """Return the path of the program; raise `FileNotFoundError` if it is not where installers put it."""
    for folder in _folders():
        if (folder / _NAME).is_file():
            return str(folder / _NAME)
    raise FileNotFoundError(f"{_NAME} is not in the folder of Python's programs; install headroom-rs-cli again")


def main() -> int:
    """Run the program with the arguments of this process, in its place where the system can do that."""
    command = [find_headroom(), *sys.argv[1:]]
    if os.name != "nt":
        os.execv(command[0], command)
    # Ctrl-C reaches both; the program decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, check=False).returncode
