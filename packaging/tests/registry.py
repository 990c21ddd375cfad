"""A package registry with the packages of this release, as npm asks for them."""

import base64
import hashlib
import json

from tests import support
import npm
import targets


def packument(manifest, tarball, url):
    """Returns what a registry says of a package; `tarball` is None for one that must not be fetched."""
    distribution = {"tarball": f"{url}/-/{manifest['name']}.tgz"}
    if tarball is not None:
        content = tarball.read_bytes()
        distribution["shasum"] = hashlib.sha1(content).hexdigest()
        distribution["integrity"] = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    version = manifest["version"]
    return {"name": manifest["name"], "dist-tags": {"latest": version}, "versions": {version: {**manifest, "dist": distribution}}}


def registry():
    """Serves the packages; gives the address and the paths asked for."""
    manifests = {targets.PACKAGE: npm.launcher_manifest()}
    manifests |= {npm.platform_name(target): npm.platform_manifest(target) for target in targets.TARGETS}
    version = targets.version()
    tarballs = {name: support.packages() / f"{name}-{version}.tgz" for name in [targets.PACKAGE, npm.platform_name(support.machine())]}
    address = []

    def answer(path):
        name = path.strip("/").removeprefix("-/").removesuffix(".tgz")
        if path.startswith("/-/"):
            return tarballs[name].read_bytes() if name in tarballs else None
        if name not in manifests:
            return None
        return json.dumps(packument(manifests[name], tarballs.get(name), address[0])).encode()

    context = support.server(answer)

    class Serving:
        def __enter__(self):
            url, asked = context.__enter__()
            address.append(url)
            return url, asked

        def __exit__(self, *error):
            return context.__exit__(*error)

    return Serving()
