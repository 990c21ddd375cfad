"""Reads `cargo metadata`; fails if a member promises an older Rust than something it is built from asks for."""
import json
import sys


def version(text):
    return tuple(int(part) for part in (text + ".0.0").split(".")[:3])


metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}


def built_from(member):
    """The member's dependencies and theirs, those of tests left out."""
    seen, todo = set(), [member]
    while todo:
        for dependency in nodes[todo.pop()]["deps"]:
            used = any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
            if used and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                todo.append(dependency["pkg"])
    return seen


failed = False
for member in metadata["workspace_members"]:
    package = packages[member]
    stated = package["rust_version"]
    if not stated:
        print(f"{package['name']} states no rust-version")
        failed = True
        continue
    for dependency in map(packages.get, sorted(built_from(member))):
        asked = dependency["rust_version"]
        if asked and version(asked) > version(stated):
            print(f"{package['name']} states {stated}, but {dependency['name']} {dependency['version']} asks for {asked}")
            failed = True
sys.exit(failed)
