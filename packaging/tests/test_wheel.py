"""The wheel, in environments of its own."""

import base64
import csv
import hashlib
import io
import shutil
import signal
import subprocess
import sys
import unittest
import zipfile

from tests import support
import targets
import wheel


def uv(*arguments, **more):
    folder = support.FOLDER / "uv"
    variables = {"UV_CACHE_DIR": folder / "cache", "UV_TOOL_DIR": folder / "tools", "UV_OFFLINE": "1"}
    return support.run("uv", *arguments, env=support.environment(**variables, **more))


@unittest.skipUnless(shutil.which("uv"), "there is no uv")
class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.binary()
        cls.environment = support.folder() / "environment"
        uv("venv", "--python", sys.executable, cls.environment)
        cls.bare = support.folder() / "bare"
        uv("venv", "--python", sys.executable, cls.bare)
        cls.find = ["--no-index", "--find-links", support.packages()]
        uv("pip", "install", "--python", cls.environment, *cls.find, targets.PACKAGE)

    def test_the_program_is_the_command(self):
        support.check_program(self, self.environment / "bin/headroom")
        self.assertEqual((self.environment / "bin/headroom").read_bytes(), support.binary().read_bytes())

    def test_the_package_can_be_run_by_its_own_name(self):
        support.check_program(self, self.environment / "bin/headroom-rs-cli")
        support.check_program(self, self.environment / "bin/python", "-m", "headroom_rs_cli")
        version = uv("tool", "run", "--python", sys.executable, *self.find, targets.PACKAGE, "--version")
        self.assertEqual(version, f"headroom {targets.version()}\n")

    def test_the_command_of_that_name_becomes_the_program(self):
        command = [self.environment / "bin/headroom-rs-cli", "proxy", "--listen", "127.0.0.1:0"]
        with subprocess.Popen(command, env=support.environment(), stderr=subprocess.PIPE, text=True) as proxy:
            self.assertIn("127.0.0.1:", proxy.stderr.readline())
            proxy.send_signal(signal.SIGTERM)
            self.assertEqual(proxy.wait(support.PATIENCE), 0)

    def test_it_is_found_where_pip_puts_it_on_request(self):
        for flag, packages in [("--target", "."), ("--prefix", f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")]:
            folder = support.folder()
            uv("pip", "install", "--python", sys.executable, *self.find, flag, folder, targets.PACKAGE)
            found = support.run(
                self.bare / "bin/python", "-c", "import headroom_rs_cli; print(headroom_rs_cli.find_headroom())",
                env=support.environment(PYTHONPATH=folder / packages),
            )
            self.assertEqual(found.strip(), str(folder / "bin/headroom"))

    def test_nothing_is_left_when_it_goes(self):
        environment = support.folder() / "environment"
        uv("venv", "--python", sys.executable, environment)
        # uv leaves its lock.
        files = lambda: sorted(path for path in environment.rglob("*") if path.name != ".lock")
        before = files()
        uv("pip", "install", "--python", environment, *self.find, targets.PACKAGE)
        self.assertNotEqual(files(), before)
        uv("pip", "uninstall", "--python", environment, targets.PACKAGE)
        self.assertEqual(files(), before)

    def test_its_list_of_files_is_true(self):
        with zipfile.ZipFile(support.only("*.whl")) as packed:
            names = packed.namelist()
            (record,) = [name for name in names if name.endswith("/RECORD")]
            rows = list(csv.reader(io.StringIO(packed.read(record).decode())))
            self.assertEqual([row[0] for row in rows], names)
            for name, digest, size in rows[:-1]:
                content = packed.read(name)
                found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                self.assertEqual((digest, int(size)), (f"sha256={found}", len(content)), name)
            # The library is the module `headroom`.
            self.assertFalse([name for name in names if name.startswith("headroom/")])
            self.assertTrue(all(name.startswith(wheel.DISTRIBUTION) for name in names))
