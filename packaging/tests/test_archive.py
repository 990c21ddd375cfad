"""The archive that other installers take the program from."""

import hashlib
import tarfile
import unittest
import zipfile

from tests import support
import archive
import targets


class Archive(unittest.TestCase):
    def test_it_has_the_program_its_pages_and_completions(self):
        support.binary()
        folder = support.folder()
        with tarfile.open(support.packages() / targets.archive(support.machine())) as packed:
            packed.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(folder)
        root = folder / targets.stem(support.machine())
        self.assertEqual([path.name for path in folder.iterdir()], [root.name])
        support.check_program(self, root / "headroom")
        self.assertIn(".TH headroom 1", (root / "man/headroom.1").read_text())
        self.assertIn("headroom-wrap.1", [page.name for page in (root / "man").iterdir()])
        support.run("bash", "-n", root / "completions/headroom.bash")
        for name in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", *(f"completions/{name}" for name in archive.COMPLETIONS.values())]:
            self.assertTrue((root / name).is_file(), name)

    def test_the_same_binary_makes_the_same_bytes(self):
        sums = set()
        for _ in range(2):
            folder = support.folder()
            support.build("binary", support.machine(), support.small_binary(), "--out", folder, "--level", "1", "--only", "archive")
            (packed,) = folder.iterdir()
            sums.add(hashlib.sha256(packed.read_bytes()).hexdigest())
        self.assertEqual(len(sums), 1)

    def test_windows_gets_a_zip_with_the_program_in_it(self):
        folder = support.folder()
        target = "x86_64-pc-windows-msvc"
        path = archive.build(target, support.small_binary(), folder, 1)
        with zipfile.ZipFile(path) as packed:
            self.assertIsNone(packed.testzip())
            self.assertIn(f"{targets.stem(target)}/headroom.exe", packed.namelist())
