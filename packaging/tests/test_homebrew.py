"""The Homebrew formula, as far as there is no Homebrew here."""

import re
import shutil
import unittest

from tests import support
import homebrew
import installer
import targets


class Formula(unittest.TestCase):
    def test_each_archive_has_its_checksum(self):
        sums = {targets.archive(target): f"{n:064x}" for n, target in enumerate(targets.TARGETS)}
        found = re.findall(r'url "[^"]+/([^/"]+)"\n +sha256 "([0-9a-f]{64})"', homebrew.formula(sums))
        self.assertEqual(len(found), 4)
        for name, digest in found:
            self.assertEqual(digest, sums[name])

    def test_a_missing_archive_is_an_error(self):
        with self.assertRaises(KeyError):
            homebrew.formula({})

    def test_what_it_installs_is_in_the_archive(self):
        import archive

        support.binary()
        names = archive.documentation(support.binary())
        text = homebrew.formula({targets.archive(target): "0" * 64 for target in targets.TARGETS})
        for name in re.findall(r'"(completions/[^"]+)"', text):
            self.assertIn(name, names)
        self.assertTrue(any(re.fullmatch(r"man/.*\.1", name) for name in names))

    def test_ruby_can_read_it(self):
        if not shutil.which("ruby"):
            raise unittest.SkipTest("there is no Ruby")
        file = support.folder() / "headroom.rb"
        file.write_text(homebrew.formula({targets.archive(target): "0" * 64 for target in targets.TARGETS}))
        self.assertIn("Syntax OK", support.run("ruby", "-c", file))

    def test_checksums_are_read_as_they_are_written(self):
        sums = {"a.tar.gz": "0" * 64, "b.zip": "1" * 64}
        self.assertEqual(installer.read_sums(installer.sums_file(sums)), sums)
