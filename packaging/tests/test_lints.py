"""Scripts and workflows by the tools that know them. None asks a server."""

import shutil
import unittest

from tests import support

WORKFLOWS = sorted((support.ROOT / ".github/workflows").glob("*.yml"))


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"there is no {program}")


class Lints(unittest.TestCase):
    @needs("shellcheck")
    def test_shell_scripts_have_no_known_mistakes(self):
        scripts = [support.ROOT / ".ci/packages", support.ROOT / "packaging/install.sh"]
        support.run("shellcheck", *scripts)

    @needs("check-jsonschema")
    def test_workflows_are_what_the_forge_takes(self):
        support.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)

    @needs("zizmor")
    def test_workflows_give_nobody_more_than_they_need(self):
        support.run("zizmor", "--offline", "--no-progress", "--config", support.ROOT / "packaging/zizmor.yml", *WORKFLOWS)
