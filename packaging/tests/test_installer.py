"""The shell installer, by the shells that people have, from a web server of this test's own."""

import os
import pathlib
import shutil
import subprocess
import tarfile
import unittest

from tests import support
import installer
import targets

SHELLS = [shell for shell in ["dash", "bash", "busybox"] if shutil.which(shell)]
# What it needs besides a shell and something that fetches.
TOOLS = ["cat", "chmod", "cp", "gzip", "mkdir", "mktemp", "mv", "rm", "sha256sum", "tar", "uname", "getconf"]


def shell(name):
    return [name, "sh"] if name == "busybox" else [name]


class Installer(unittest.TestCase):
    def setUp(self):
        support.binary()
        self.release = support.packages()
        self.script = self.release / "install.sh"
        self.to = support.folder() / "programs"

    def run_script(self, name, *arguments, script=None, status=0, **variables):
        return support.run(*shell(name), script or self.script, *arguments, status=status, env=support.environment(**variables))

    def install(self, name, url, *arguments, **more):
        return self.run_script(name, "--from", url, "--to", self.to, *arguments, **more)

    def temporary(self):
        """Returns a folder for temporary files, which must be empty afterwards."""
        folder = support.folder()
        self.addCleanup(lambda: self.assertEqual(list(folder.iterdir()), []))
        return folder

    def test_the_program_is_installed_and_replaced_and_can_be_undone(self):
        with support.folder_server(self.release) as (url, asked):
            for name in SHELLS:
                said = self.install(name, url, TMPDIR=self.temporary())
                self.assertIn(f"installed {self.to}/headroom", said)
                support.check_program(self, self.to / "headroom")
                self.assertEqual([path.name for path in self.to.iterdir()], ["headroom"])
                self.assertIn(f'export PATH="{self.to}:$PATH"', said)
                said = self.install(name, f"{url}/", PATH=f"{os.environ['PATH']}:{self.to}")
                self.assertIn(f"replaced {self.to}/headroom with version {targets.version()}", said)
                self.assertNotIn("export PATH", said)
                (undo,) = [line for line in said.splitlines() if "undo it: " in line]
                support.run(*shell(name), "-c", undo.split("undo it: ")[1], env=support.environment(PATH=f"{self.to}:{os.environ['PATH']}"))
                self.assertEqual(list(self.to.iterdir()), [])
        self.assertEqual(set(asked), {f"/{targets.archive(support.machine())}"})

    def test_it_goes_into_the_home_of_its_user(self):
        with support.folder_server(self.release) as (url, _):
            for variables, expected in [({}, ".local/bin"), ({"XDG_BIN_HOME": "programs"}, "programs")]:
                home = support.folder()
                variables = {name: home / value for name, value in variables.items()}
                self.run_script(SHELLS[0], "--from", url, HOME=home, **variables)
                files = [path for path in home.rglob("*") if path.is_file()]
                self.assertEqual(files, [home / expected / "headroom"])

    def test_an_archive_with_another_checksum_is_refused_before_anything_in_it_runs(self):
        archive = targets.archive(support.machine())
        ran = support.folder() / "ran"
        folder = support.folder()
        root = folder / targets.stem(support.machine())
        root.mkdir()
        (root / "headroom").write_text(f"#!/bin/sh\ntouch '{ran}'\n")
        (root / "headroom").chmod(0o755)
        with tarfile.open(folder / archive, "w:gz") as packed:
            packed.add(root, arcname=root.name)
        whole = (self.release / archive).read_bytes()
        self.to.mkdir()
        (self.to / "headroom").write_text("what was there")
        for content in [(folder / archive).read_bytes(), whole[:-1], whole + b"\0", whole[:9] + bytes([whole[9] ^ 1]) + whole[10:], b""]:
            with support.server(lambda _, content=content: content) as (url, _):
                for name in SHELLS:
                    said = self.install(name, url, status=1, TMPDIR=self.temporary())
                    self.assertIn("is expected; nothing was installed", said)
                    self.assertEqual((self.to / "headroom").read_text(), "what was there")
                    self.assertFalse(ran.exists())

    def test_a_server_without_the_archive_is_an_error(self):
        with support.server(lambda _: None) as (url, _):
            for name in SHELLS:
                said = self.install(name, url, status=1, TMPDIR=self.temporary())
                self.assertIn(f"cannot fetch {url}/{targets.archive(support.machine())}", said)
                self.assertFalse(self.to.exists())

    def test_a_program_that_does_not_run_here_replaces_nothing(self):
        folder = support.folder()
        root = folder / targets.stem(support.machine())
        root.mkdir()
        (root / "headroom").write_text("#!/bin/sh\necho 'no such library' >&2\nexit 1\n")
        (root / "headroom").chmod(0o755)
        with tarfile.open(folder / targets.archive(support.machine()), "w:gz") as packed:
            packed.add(root, arcname=root.name)
        shutil.rmtree(root)
        script = support.folder() / "install.sh"
        script.write_text(installer.script(installer.sums(folder)))
        with support.folder_server(folder) as (url, _):
            for name in SHELLS:
                said = self.install(name, url, script=script, status=1, TMPDIR=self.temporary())
                self.assertIn("does not run here; nothing was installed: no such library", said)
                self.assertFalse(self.to.exists())

    def tools(self, *more):
        """Returns a folder with these programs alone."""
        folder = support.folder()
        for tool in [*TOOLS, *more]:
            (folder / tool).symlink_to(shutil.which(tool))
        return folder

    def test_either_of_two_programs_fetches(self):
        for tool in ["curl", "wget"]:
            if not shutil.which(tool):
                continue
            with support.folder_server(self.release) as (url, _):
                dash = shutil.which(SHELLS[0])
                said = self.run_script(dash, "--from", url, "--to", self.to, PATH=self.tools(tool))
                self.assertIn("headroom", said, tool)
                support.check_program(self, self.to / "headroom")
        said = self.run_script(shutil.which(SHELLS[0]), "--to", self.to, status=1, PATH=self.tools())
        self.assertIn("curl or wget is needed", said)

    def test_without_a_program_for_checksums_nothing_is_installed(self):
        tools = self.tools("curl")
        (tools / "sha256sum").unlink()
        with support.folder_server(self.release) as (url, _):
            said = self.run_script(shutil.which(SHELLS[0]), "--from", url, "--to", self.to, status=1, PATH=tools)
        self.assertIn("is needed to verify", said)
        self.assertFalse(self.to.exists())

    def test_each_system_gets_its_program(self):
        for system, processor, glibc, expected in [
            ("Linux", "x86_64", "echo glibc 2.39", "x86_64-unknown-linux-gnu"),
            ("Linux", "aarch64", "echo glibc 2.34", "aarch64-unknown-linux-gnu"),
            ("Linux", "x86_64", "echo glibc 2.33", "x86_64-unknown-linux-musl"),
            ("Linux", "x86_64", "echo glibc 3.0", "x86_64-unknown-linux-gnu"),
            ("Linux", "arm64", "exit 1", "aarch64-unknown-linux-musl"),
            ("Linux", "x86_64", "echo nonsense", "x86_64-unknown-linux-musl"),
            ("Darwin", "arm64", "exit 1", "aarch64-apple-darwin"),
            ("Darwin", "x86_64", "exit 1", "x86_64-apple-darwin"),
            ("Linux", "riscv64", "exit 1", "the processor riscv64"),
            ("FreeBSD", "amd64", "exit 1", "no program for FreeBSD"),
            ("MINGW64_NT-10.0", "x86_64", "exit 1", "-x86_64-pc-windows-msvc.zip"),
        ]:
            folder = self.tools()
            for name, text in [("uname", f'[ "$1" = -m ] && echo {processor} || echo {system}'), ("getconf", glibc)]:
                (folder / name).unlink()
                (folder / name).write_text(f"#!/bin/sh\n{text}\n")
                (folder / name).chmod(0o755)
            is_known = expected in targets.TARGETS
            # busybox has an `uname` of its own.
            for name in [shutil.which(name) for name in SHELLS if name != "busybox"]:
                said = self.run_script(name, "--dry-run", "--to", self.to, PATH=folder, status=0 if is_known else 1)
                self.assertIn(f"-{expected}.tar.gz" if is_known else expected, said)
                self.assertFalse(self.to.exists())

    def test_a_script_that_was_cut_off_does_nothing(self):
        lines = self.script.read_text().splitlines(keepends=True)
        cut = support.folder() / "install.sh"
        with support.folder_server(self.release) as (url, asked):
            for count in range(1, len(lines)):
                cut.write_text("".join(lines[:count]))
                subprocess.run([SHELLS[0], cut, "--from", url, "--to", self.to], capture_output=True, check=False, env=support.environment())
            self.assertEqual(asked, [])
        self.assertFalse(self.to.exists())

    def test_wrong_usage_has_a_status_of_its_own(self):
        for arguments, expected in [(["--what"], "unknown argument --what"), (["--to"], "--to needs a value")]:
            for name in SHELLS:
                self.assertIn(expected, self.run_script(name, *arguments, status=2))
        self.assertIn("has no program for sparc-sun-solaris", self.run_script(SHELLS[0], "--target", "sparc-sun-solaris", status=1))
        self.assertIn("Usage", self.run_script(SHELLS[0], "--help"))
        template = pathlib.Path(support.ROOT / "packaging/install.sh")
        self.assertIn("this is the template", self.run_script(SHELLS[0], script=template, status=1))
