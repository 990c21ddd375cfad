"""The Debian package of one platform."""

import gzip
import os
import pathlib
import subprocess
import tempfile

import archive
import targets

CONTROL = """\
Package: headroom
Version: {version}
Architecture: {architecture}
Section: utils
Priority: optional
Maintainer: {author}
Installed-Size: {size}
Depends: libc6 (>= {glibc}), libgcc-s1
Homepage: {repository}
Description: makes the prompts in LLM requests smaller
 A local proxy and a command line between agents and LLM providers. It makes
 the results of tools in every request smaller; the model answers the same,
 provider caches keep hitting, and what was left out can be fetched back.
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: headroom
Source: {repository}

Files: *
Copyright: {author}
License: Expat or Apache-2.0

License: Expat
{mit}

License: Apache-2.0
 On Debian systems, the text is in /usr/share/common-licenses/Apache-2.0.
"""

COMPLETIONS = {
    "headroom.bash": "usr/share/bash-completion/completions/headroom",
    "_headroom": "usr/share/zsh/vendor-completions/_headroom",
    "headroom.fish": "usr/share/fish/vendor_completions.d/headroom.fish",
}


def packed(content):
    return gzip.compress(content, 9, mtime=0)


def copyright_file(manifest):
    lines = (targets.ROOT / "LICENSE-MIT").read_text().strip().splitlines()
    mit = "\n".join(f" {line}" if line else " ." for line in lines)
    return COPYRIGHT.format(author=manifest["authors"], repository=manifest["repository"], mit=mit)


def contents(binary):
    """Returns the installed files by their path."""
    manifest = targets.manifest()
    files = {"usr/bin/headroom": binary.read_bytes()}
    for name, content in archive.documentation(binary).items():
        name = pathlib.PurePath(name).name
        if name in COMPLETIONS:
            files[COMPLETIONS[name]] = content
        elif name.endswith(".1"):
            files[f"usr/share/man/man1/{name}.gz"] = packed(content)
    files["usr/share/doc/headroom/copyright"] = copyright_file(manifest).encode()
    files["usr/share/doc/headroom/changelog.gz"] = packed((targets.ROOT / "CHANGELOG.md").read_bytes())
    return files


def build(target, binary, out, level):
    """Writes the package and returns its path."""
    files, manifest = contents(binary), targets.manifest()
    architecture = targets.TARGETS[target]["deb"]
    control = CONTROL.format(
        version=targets.debian_version(),
        architecture=architecture,
        author=manifest["authors"],
        size=sum(len(content) for content in files.values()) // 1024,
        glibc=".".join(map(str, targets.needed_glibc(binary.read_bytes()))),
        repository=manifest["repository"],
    )
    path = out / f"headroom_{targets.debian_version()}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**files, "DEBIAN/control": control.encode()}.items():
            file = pathlib.Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        # Whatever the umask of this process is.
        for file in [pathlib.Path(folder), *pathlib.Path(folder).rglob("*")]:
            file.chmod(0o755 if file.is_dir() or file.name == "headroom" and file.parent.name == "bin" else 0o644)
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(targets.EPOCH)}
        # Every Debian reads xz, which takes long; what is made for a test is quick to make.
        command = ["dpkg-deb", "-Zxz" if level == 9 else "-Zgzip", f"-z{level}", "--root-owner-group", "--build", folder, path]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return path
