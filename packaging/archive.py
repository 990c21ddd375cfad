"""The archive of a release for one platform: the program, its manual pages and completions, and the licences."""

import gzip
import io
import pathlib
import subprocess
import tarfile
import tempfile
import time
import zipfile

import targets

COMPLETIONS = {"bash": "headroom.bash", "zsh": "_headroom", "fish": "headroom.fish", "powershell": "_headroom.ps1"}


def documentation(binary):
    """Returns manual pages and completions, which the program writes itself, by their path."""
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, "man", "--dir", folder], check=True)
        for page in sorted(pathlib.Path(folder).iterdir()):
            files[f"man/{page.name}"] = page.read_bytes()
    for shell, name in COMPLETIONS.items():
        files[f"completions/{name}"] = subprocess.run([binary, "completions", shell], check=True, capture_output=True).stdout
    return files


def contents(target, binary):
    """Returns the files of the archive by their path."""
    files = {targets.program(target): binary.read_bytes()}
    for name in ["README.md", *targets.LICENCES]:
        files[name] = (targets.ROOT / name).read_bytes()
    return files | documentation(binary)


def build(target, binary, out, level):
    """Writes the archive and returns its path."""
    path = out / targets.archive(target)
    files = {f"{targets.stem(target)}/{name}": content for name, content in contents(target, binary).items()}
    is_program = lambda name: name.endswith("/" + targets.program(target))
    if targets.is_windows(target):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
            for name, content in files.items():
                archive.writestr(entry(name, is_program(name)), content)
        return path
    return tarball(path, files, is_program, level)


def tarball(path, files, is_executable, level):
    """Writes an archive that is the same for the same files, and returns its path."""
    with gzip.GzipFile(path, "wb", compresslevel=level, mtime=targets.EPOCH) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.mode = len(content), targets.EPOCH, 0o755 if is_executable(name) else 0o644
                archive.addfile(info, io.BytesIO(content))
    return path


def entry(name, is_executable=False):
    """Returns the head of a file in a zip archive."""
    info = zipfile.ZipInfo(name, time.gmtime(targets.EPOCH)[:6])
    info.external_attr = (0o100755 if is_executable else 0o100644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3  # Unix, on every system
    return info
