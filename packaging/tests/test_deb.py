"""The Debian package, in a root of its own."""

import gzip
import os
import shutil
import subprocess
import unittest

from tests import support
import targets


@unittest.skipUnless(shutil.which("dpkg-deb"), "there is no dpkg-deb")
class Deb(unittest.TestCase):
    def setUp(self):
        support.binary()
        self.package = support.only("*.deb")

    def check_files(self, root):
        support.check_program(self, root / "usr/bin/headroom")
        page = gzip.decompress((root / "usr/share/man/man1/headroom.1.gz").read_bytes())
        self.assertIn(b".TH headroom 1", page)
        self.assertIn(b"Apache-2.0", (root / "usr/share/doc/headroom/copyright").read_bytes())
        completion = root / "usr/share/bash-completion/completions/headroom"
        support.run("bash", "-n", completion)
        words = support.run(
            "bash", "-c", 'source "$1"; COMP_WORDS=(headroom wr); COMP_CWORD=1; _headroom headroom wr headroom; echo "${COMPREPLY[*]}"', "-", completion
        )
        self.assertEqual(words.strip(), "wrap")
        for shell, name in [("zsh", "zsh/vendor-completions/_headroom"), ("fish", "fish/vendor_completions.d/headroom.fish")]:
            if shutil.which(shell):
                support.run(shell, "-n", root / "usr/share" / name)

    def test_it_is_installed_and_removed(self):
        if os.geteuid() != 0:
            root = support.folder()
            support.run("dpkg-deb", "-x", self.package, root)
            self.check_files(root)
            return
        root = support.folder()
        (root / "var/lib/dpkg/updates").mkdir(parents=True)
        (root / "var/lib/dpkg/info").mkdir()
        (root / "var/lib/dpkg/status").touch()
        # The C library is a package of the system around it.
        environment = support.environment(PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        dpkg = ["dpkg", f"--root={root}", "--force-depends", "--log=/dev/null"]
        support.run(*dpkg, "--install", self.package, env=environment)
        self.check_files(root)
        self.assertIn("install ok installed", (root / "var/lib/dpkg/status").read_text())
        support.run(*dpkg, "--purge", "headroom", env=environment)
        self.assertEqual([path for path in root.rglob("*") if "var" not in path.parts and path.is_file()], [])

    def test_it_states_what_the_program_needs(self):
        fields = support.run("dpkg-deb", "--field", self.package)
        major, minor = targets.needed_glibc(support.binary().read_bytes())
        self.assertIn(f"Depends: libc6 (>= {major}.{minor}), libgcc-s1", fields)
        self.assertIn(f"Version: {targets.debian_version()}\n", fields)
        if shutil.which("ldd"):
            linked = subprocess.run(["ldd", support.binary()], capture_output=True, text=True, check=False).stdout
            # None of a static one.
            libraries = {line.split()[0].split("/")[-1].split(".so")[0] for line in linked.splitlines() if ".so" in line}
            # Of libc6 and libgcc-s1, and the kernel's own.
            known = {"libc", "libm", "libdl", "libpthread", "librt", "libgcc_s", "linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64"}
            self.assertLessEqual(libraries, known)

    def test_files_belong_to_root_and_only_the_program_is_executable(self):
        lines = support.run("dpkg-deb", "--contents", self.package).splitlines()
        for line in lines:
            mode, owner, *_, path = line.split()
            is_program = path == "./usr/bin/headroom"
            expected = "drwxr-xr-x" if path.endswith("/") else "-rwxr-xr-x" if is_program else "-rw-r--r--"
            self.assertEqual((mode, owner), (expected, "root/root"), path)
