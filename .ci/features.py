"""Prints the combinations of features that `.ci/features` checks, from `cargo metadata` on standard input."""

import json
import pathlib
import sys

ALL = "--all" in sys.argv[1:]
GRAMMARS = "code-"
GRAMMAR = "code-rust"
ADAPTERS = ("headroom-axum", "headroom-actix", "headroom-reqwest")
# What is not checked without `--all`: the features of these bring large dependencies, which take minutes to check, ...
LONG = ("headroom-cli", "headroom-model")
# ... and these forward features or have none.
FORWARDING = (*ADAPTERS, "headroom-evals", "headroom-json", "headroom-onnxruntime", "headroom-retrieval")

packages = {package["name"]: package for package in json.load(sys.stdin)["packages"] if package["publish"] != []}


def features(name: str) -> list[str]:
    """The features that users choose, but for `default`."""
    return sorted(f for f in packages[name]["features"] if f != "default" and not f.startswith("__"))


def forwards(name: str, feature: str) -> bool:
    """Whether a feature does nothing but switch on the feature of the same name in crates below."""
    enabled = packages[name]["features"][feature]
    sources = pathlib.Path(packages[name]["manifest_path"]).parent.glob("src/**/*.rs")
    used = any(f'feature = "{feature}"' in path.read_text(encoding="utf-8") for path in sources)
    return bool(enabled) and not used and all(value.split("/")[1:] == [feature] for value in enabled)


for adapter in ADAPTERS:
    missing = [f for f in features("headroom-tower") if f != "tokio" and f not in features(adapter)]
    if missing:
        sys.exit(f"{adapter} does not forward these features of headroom-tower: {', '.join(missing)}")

for name in packages:
    if name in FORWARDING and not ALL:
        continue
    print(name)
    if packages[name]["features"].get("default"):
        print(name, "--no-default-features")
    if name in LONG and not ALL:
        continue
    for feature in features(name):
        is_grammar = feature.startswith(GRAMMARS) and feature != GRAMMAR
        if ALL or not (forwards(name, feature) or is_grammar):
            print(name, "--no-default-features --features", feature)
