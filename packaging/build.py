#!/usr/bin/env python3
"""Makes the packages of a release from binaries that are built already.

  build.py binary TARGET BINARY --out DIR   what carries one binary: archive, wheel, npm package, Debian package
  build.py release DIR                      what is about all of them: npm launcher, checksums, formula, installer
  build.py matrix                           the platforms, for the release workflow
  build.py version [TAG]                    the version; fails if the tag says another
"""

import argparse
import json
import pathlib
import shutil

import archive
import deb
import homebrew
import installer
import npm
import targets
import wheel


def one_binary(arguments):
    if arguments.release:
        targets.check(arguments.target, arguments.binary.read_bytes())
    arguments.out.mkdir(parents=True, exist_ok=True)
    builders = [archive, wheel, npm]
    # Other systems have nothing to make it with, and no use for it.
    if "deb" in targets.TARGETS[arguments.target] and (arguments.release or shutil.which("dpkg-deb")):
        builders.append(deb)
    for builder in builders:
        if arguments.only in (None, builder.__name__):
            print(builder.build(arguments.target, arguments.binary, arguments.out, arguments.level))


def release(arguments):
    folder = arguments.folder
    print(npm.build_launcher(folder))
    # The formula and the installer carry the checksums of the archives; the list has theirs as well.
    found = installer.sums(folder)
    (folder / "headroom.rb").write_text(homebrew.formula(found))
    (folder / "install.sh").write_text(installer.script(found))
    (folder / "SHA256SUMS").write_text(installer.sums_file(installer.sums(folder)))


def matrix(_):
    rows = [{"target": target, "runner": row["runner"]} for target, row in targets.TARGETS.items()]
    print(json.dumps({"include": rows}))


def version(arguments):
    if arguments.tag not in (None, f"v{targets.version()}"):
        raise SystemExit(f"the tag {arguments.tag} is not v{targets.version()}, the version in Cargo.toml")
    print(targets.version())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("binary")
    command.add_argument("target", choices=targets.TARGETS)
    command.add_argument("binary", type=pathlib.Path)
    command.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/packages"))
    command.add_argument("--only", choices=["archive", "wheel", "npm", "deb"])
    command.add_argument("--level", type=int, choices=range(1, 10), default=9, help="of compression")
    command.add_argument("--release", action="store_true", help="fail if the binary needs more than releases promise")
    command.set_defaults(run=one_binary)
    command = commands.add_parser("release")
    command.add_argument("folder", type=pathlib.Path)
    command.set_defaults(run=release)
    commands.add_parser("matrix").set_defaults(run=matrix)
    command = commands.add_parser("version")
    command.add_argument("tag", nargs="?")
    command.set_defaults(run=version)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
