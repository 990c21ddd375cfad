"""What is written in several places says the same everywhere."""

import re
import unittest

from tests import support
import targets
import wheel

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None


def rendered(template, target):
    """Fills in a template of cargo-binstall."""
    values = {
        "repo": targets.manifest()["repository"],
        "version": targets.version(),
        "target": target,
        "bin": targets.PROGRAM,
        "binary-ext": ".exe" if targets.is_windows(target) else "",
    }
    return re.sub(r"\{\s*([\w-]+)\s*\}", lambda name: values[name[1]], template)


class Names(unittest.TestCase):
    def test_the_version_is_that_of_the_crates(self):
        self.assertRegex(targets.version(), r"^\d+\.\d+\.\d+")
        manifest = (support.ROOT / "headroom-node/package.json").read_text()
        self.assertIn(f'"version": "{targets.version()}"', manifest)

    def test_other_registries_write_pre_releases_in_their_own_way(self):
        own = targets.version
        self.addCleanup(setattr, targets, "version", own)
        for version, python, debian in [
            ("1.2.3", "1.2.3", "1.2.3"),
            ("1.2.0-rc.1", "1.2.0rc1", "1.2.0~rc.1"),
            ("1.2.0-alpha.10", "1.2.0a10", "1.2.0~alpha.10"),
        ]:
            targets.version = lambda version=version: version
            self.assertEqual((targets.python_version(), targets.debian_version()), (python, debian))

    @unittest.skipIf(tomllib is None, "needs Python 3.11")
    def test_cargo_binstall_finds_the_archives(self):
        package = tomllib.loads((support.ROOT / "headroom-cli/Cargo.toml").read_text())["package"]
        metadata = package["metadata"]["binstall"]
        for target in targets.TARGETS:
            row = {**metadata, **metadata["overrides"].get(target, {})}
            release = f"{targets.manifest()['repository']}/releases/download/v{targets.version()}"
            self.assertEqual(rendered(row["pkg-url"], target), f"{release}/{targets.archive(target)}")
            self.assertEqual(row["pkg-fmt"], "zip" if targets.is_windows(target) else "tgz")
            self.assertEqual(rendered(row["bin-dir"], target), f"{targets.stem(target)}/{targets.program(target)}")
        self.assertLessEqual(set(metadata["overrides"]), set(targets.TARGETS))

    def test_the_platforms_are_those_of_the_node_package(self):
        manifest = (support.ROOT / "headroom-node/package.json").read_text()
        listed = re.search(r'"targets": \[([^]]+)\]', manifest)[1]
        self.assertEqual(re.findall(r'"([^"]+)"', listed), list(targets.TARGETS))

    def test_workflows_call_what_there_is(self):
        release = (support.ROOT / ".github/workflows/release.yml").read_text()
        for command in re.findall(r"packaging/build\.py (\w+)", release):
            self.assertIn(f'commands.add_parser("{command}")', (support.ROOT / "packaging/build.py").read_text())
        self.assertIn("--profile dist", release)
        for profile in re.findall(r"--profile (?!minimal)(\w+)", release):
            self.assertIn(f"[profile.{profile}]", (support.ROOT / "Cargo.toml").read_text())
        publish = (support.ROOT / ".github/workflows/publish.yml").read_text()
        self.assertIn(f"launcher={targets.PACKAGE}-${{TAG#v}}.tgz", publish)

    def test_the_packages_do_not_collide_with_those_of_the_libraries(self):
        python = (support.ROOT / "headroom-python/pyproject.toml").read_text()
        node = (support.ROOT / "headroom-node/package.json").read_text()
        self.assertNotIn(f'name = "{targets.PACKAGE}"', python)
        self.assertNotIn(f'"name": "{targets.PACKAGE}"', node)
        self.assertFalse((support.ROOT / "headroom-python/python" / wheel.DISTRIBUTION).exists())
        self.assertNotIn("[project.scripts]", python)
        self.assertNotIn('"bin":', node)

    def test_a_binary_that_needs_more_than_the_table_says_is_refused(self):
        major, minor = targets.oldest_glibc()
        good = f"GLIBC_2.2.5 GLIBC_{major}.{minor}".encode()
        targets.check("x86_64-unknown-linux-gnu", good)
        targets.check("x86_64-unknown-linux-musl", good)
        for target, bad in [
            ("aarch64-unknown-linux-gnu", f"GLIBC_{major}.{minor + 1}".encode()),
            ("x86_64-unknown-linux-musl", b"/lib/ld-musl-x86_64.so.1"),
        ]:
            with self.assertRaises(SystemExit):
                targets.check(target, bad)

    def test_a_wheel_says_what_its_binary_needs(self):
        tag = lambda needed: targets.wheel_tag("x86_64-unknown-linux-gnu", needed)
        major, minor = targets.oldest_glibc()
        self.assertEqual(tag(b"GLIBC_2.2.5"), f"manylinux_{major}_{minor}_x86_64")
        self.assertEqual(tag(b"GLIBC_2.17 GLIBC_2.99 GLIBC_2.3"), "manylinux_2_99_x86_64")
        for target, row in targets.TARGETS.items():
            if not target.endswith("-gnu"):
                self.assertEqual(targets.wheel_tag(target, b"GLIBC_2.99"), row["wheel"])
