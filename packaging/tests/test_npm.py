"""The npm packages, installed from a registry of this test's own."""

import json
import shutil
import unittest

from tests import support
from tests.registry import registry
import npm
import targets


def call(url, *command, cwd=None):
    cache = support.FOLDER / "npm-cache"
    settings = {"npm_config_registry": url, "npm_config_cache": cache, "npm_config_update_notifier": "false", "npm_config_audit": "false"}
    return support.run(*command, env=support.environment(**settings), cwd=cwd)


@unittest.skipUnless(shutil.which("npm"), "there is no npm")
class Npm(unittest.TestCase):
    def setUp(self):
        support.binary()

    def test_a_project_gets_the_program_of_its_platform_alone(self):
        project = support.folder()
        (project / "package.json").write_text('{"private": true}')
        with registry() as (url, asked):
            call(url, "npm", "install", "--no-fund", targets.PACKAGE, cwd=project)
        own = npm.platform_name(support.machine())
        installed = sorted(path.name for path in (project / "node_modules").iterdir() if not path.name.startswith("."))
        self.assertEqual(installed, [targets.PACKAGE, own])
        fetched = sorted(path for path in asked if path.startswith("/-/"))
        self.assertEqual(fetched, [f"/-/{own}.tgz", f"/-/{targets.PACKAGE}.tgz"])
        support.check_program(self, project / "node_modules/.bin/headroom")

    def test_it_runs_without_being_installed(self):
        with registry() as (url, _):
            version = call(url, "npx", "--yes", targets.PACKAGE, "--version", cwd=support.folder())
        self.assertEqual(version, f"headroom {targets.version()}\n")

    def test_it_is_a_command_after_a_global_installation(self):
        prefix = support.folder()
        with registry() as (url, _):
            call(url, "npm", "install", "--global", "--no-fund", "--prefix", prefix, targets.PACKAGE)
            support.check_program(self, prefix / "bin/headroom")
            call(url, "npm", "uninstall", "--global", "--prefix", prefix, targets.PACKAGE)
        self.assertFalse((prefix / "bin/headroom").exists())
        self.assertEqual(list((prefix / "lib/node_modules").iterdir()), [])

    def test_the_launcher_names_each_platform_in_this_very_version(self):
        manifest = npm.launcher_manifest()
        expected = {npm.platform_name(target): targets.version() for target in targets.TARGETS}
        self.assertEqual(manifest["optionalDependencies"], expected)
        own = json.loads((support.ROOT / "headroom-node/package.json").read_text())
        self.assertNotIn(own["name"], [manifest["name"], *expected])
