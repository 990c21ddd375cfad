"""The shell installer of a release, and the list of checksums that it carries."""

import hashlib
import re

import targets


def sums(folder):
    """Returns the SHA-256 of every file in a folder, by name."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def sums_file(found):
    """Returns the text of a `SHA256SUMS`, as `sha256sum --check` reads it."""
    return "".join(f"{digest}  {name}\n" for name, digest in found.items())


def read_sums(text):
    return dict(reversed(line.split(maxsplit=1)) for line in text.splitlines())


def script(found):
    """Returns the installer; it carries the checksums of the archives, so that no server is asked for them."""
    text = (targets.ROOT / "packaging/install.sh").read_text()
    archives = {name: digest for name, digest in found.items() if re.search(r"\.tar\.gz$", name)}
    archives = {name: digest for name, digest in archives.items() if name in map(targets.archive, targets.TARGETS)}
    major, minor = targets.oldest_glibc()
    values = {
        "version": targets.version(),
        "repository": targets.manifest()["repository"],
        "glibc": f"{major} {minor}",
        "checksums": "\n" + sums_file(archives),
    }
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^{name}=''$", lambda _: f"{name}='{value}'", text)
        if count != 1:
            raise SystemExit(f"packaging/install.sh has no line {name}=''")
    return text
