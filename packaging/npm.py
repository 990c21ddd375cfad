"""The npm packages: one with the program for each platform, and one that depends on them and runs it."""

import json

import archive
import targets

SOURCE = targets.ROOT / "packaging/npm"


def common(name, files):
    """Returns what every `package.json` has."""
    manifest = targets.manifest()
    return {
        "name": name,
        "version": targets.version(),
        "description": targets.SUMMARY,
        "license": manifest["license"],
        "author": manifest["authors"],
        "repository": {"type": "git", "url": f"git+{manifest['repository']}.git", "directory": "packaging/npm"},
        "files": files,
    }


def platform_name(target):
    return f"{targets.PACKAGE}-{targets.TARGETS[target]['npm']['platform']}"


def platform_manifest(target):
    """Returns the `package.json` of the package of one platform."""
    row = targets.TARGETS[target]["npm"]
    manifest = common(platform_name(target), [targets.program(target)])
    manifest["description"] = f"The program headroom for {row['platform']}; headroom-rs-cli runs it"
    manifest |= {"preferUnplugged": True, "os": [row["os"]], "cpu": [row["cpu"]]}
    return manifest | ({"libc": [row["libc"]]} if "libc" in row else {})


def launcher_manifest():
    """Returns the `package.json` of the package that people install."""
    manifest = common(targets.PACKAGE, ["headroom.js"])
    return manifest | {
        "keywords": ["llm", "tokens", "compression", "prompt-cache", "proxy", "agents"],
        "bin": {targets.PROGRAM: "headroom.js"},
        "engines": {"node": ">=20"},
        "oldestGlibc": list(targets.oldest_glibc()),
        "optionalDependencies": {platform_name(target): targets.version() for target in targets.TARGETS},
    }


def pack(manifest, files, out, level):
    """Writes the tarball of a package and returns its path; `files` are contents by their name."""
    files = {"package.json": (json.dumps(manifest, indent=2) + "\n").encode(), **files}
    for name in targets.LICENCES:
        files[name] = (targets.ROOT / name).read_bytes()
    path = out / f"{manifest['name']}-{manifest['version']}.tgz"
    files = {f"package/{name}": content for name, content in files.items()}
    return archive.tarball(path, files, lambda name: name.startswith(f"package/{targets.PROGRAM}"), level)


def build(target, binary, out, level):
    """Writes the tarball of the package of one platform and returns its path."""
    return pack(platform_manifest(target), {targets.program(target): binary.read_bytes()}, out, level)


def build_launcher(out):
    """Writes the tarball of the package that people install and returns its path."""
    files = {name: (SOURCE / name).read_bytes() for name in ["headroom.js", "README.md"]}
    return pack(launcher_manifest(), files, out, 9)
