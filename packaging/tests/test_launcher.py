"""The launcher passes on everything as it is: arguments, streams, signals and the way the program ends."""

import contextlib
import functools
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import unittest

from tests import support
import npm
import targets

# Says what it gets: its arguments and signals. It ends with the status 7 at SIGTERM.
STUB = """\
#!{python}
import json, os, signal, sys
if sys.argv[1:2] == ["__watch"]:
    os.execv({watcher!r}, [{watcher!r}, *sys.argv[1:]])
count = {{}}
def note(number, _):
    name = signal.Signals(number).name
    count[name] = count.get(name, 0) + 1
    os.write(1, f"{{name}} {{count[name]}} {{os.getpid()}}\\n".encode())
    if name == "SIGTERM":
        os._exit(7)
for name in ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]:
    signal.signal(getattr(signal, name), note)
os.write(1, f"ready {{os.getpid()}} {{json.dumps(sys.argv[1:])}}\\n".encode())
while True:
    signal.pause()
"""
# Does not let Node become another program, as versions before 22.15 cannot.
WITHOUT_EXECVE = "process.execve = undefined;"


@functools.cache
def nodes():
    """Returns every way to run the launcher: the Node that is there, and the newest."""
    own = shutil.which("node")
    if own is None:
        raise unittest.SkipTest("there is no Node")
    found = [own]
    asked = subprocess.run(["npx", "-y", "-p", "node@24", "node", "-p", "process.execPath"], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        found.append(asked.stdout.strip())
    else:
        print("skipped: the launcher on Node 24, which cannot be had", file=sys.stderr)
    return found


class Launcher(unittest.TestCase):
    def launcher(self, program=None):
        """Returns an installed launcher with this program."""
        modules = support.folder() / "node_modules"
        folders = {targets.PACKAGE: npm.launcher_manifest()}
        own = npm.platform_name(support.machine())
        folders[own] = npm.platform_manifest(support.machine())
        for name, manifest in folders.items():
            (modules / name).mkdir(parents=True)
            (modules / name / "package.json").write_text(json.dumps(manifest))
        shutil.copyfile(npm.SOURCE / "headroom.js", modules / targets.PACKAGE / "headroom.js")
        target = modules / own / "headroom"
        if program is None:
            target.symlink_to(support.binary())
        else:
            target.write_text(program)
            target.chmod(0o755)
        return modules / targets.PACKAGE / "headroom.js"

    def stub(self):
        return self.launcher(STUB.format(python=sys.executable, watcher=str(support.binary())))

    def ways(self, launcher):
        """Yields each command that runs the launcher, and whether it becomes the program."""
        without = support.folder() / "without.js"
        without.write_text(WITHOUT_EXECVE)
        for node in nodes():
            has = subprocess.run([node, "-p", "typeof process.execve"], capture_output=True, text=True, check=True).stdout.strip() == "function"
            yield [node, launcher], has
            if has:
                yield [node, "--require", without, launcher], False

    @contextlib.contextmanager
    def running(self, command, *arguments, **options):
        """Runs the stub; gives the process, what it shows and its own id."""
        process = subprocess.Popen([*command, *arguments], env=support.environment(), stdout=subprocess.PIPE, bufsize=0, **options)
        pid = None
        try:
            shown = Shown(process.stdout)
            _, pid, words = shown.line().split(" ", 2)
            self.assertEqual(json.loads(words), list(arguments))
            yield process, shown, int(pid)
        finally:
            for left in [process.pid, pid]:
                with contextlib.suppress(ProcessLookupError, TypeError):
                    os.kill(int(left), signal.SIGKILL)
            process.wait(support.PATIENCE)
            process.stdout.close()

    def test_streams_and_statuses_are_those_of_the_program(self):
        for command, _ in self.ways(self.launcher()):
            support.check_program(self, *command)

    def test_it_becomes_the_program_where_node_can(self):
        for command, becomes in self.ways(self.stub()):
            with self.running(command, "a b", "--flag=$x") as (process, _, pid):
                self.assertEqual(pid == process.pid, becomes, command)

    def test_signals_reach_the_program(self):
        for command, _ in self.ways(self.stub()):
            with self.running(command, start_new_session=True) as (process, shown, pid):
                for name in ["SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"]:
                    process.send_signal(getattr(signal, name))
                    self.assertEqual(shown.line(), f"{name} 1 {pid}", command)
                self.assertEqual(process.wait(support.PATIENCE), 7, command)

    def test_a_key_of_the_terminal_reaches_the_program_once(self):
        for command, _ in self.ways(self.stub()):
            pid, terminal = pty.fork()
            if pid == 0:
                os.execve(command[0], list(map(str, command)), support.environment())
            with os.fdopen(terminal, "r+b", buffering=0) as shown:
                read = Shown(shown)
                self.assertTrue(read.line().startswith("ready"))
                shown.write(b"\x03")
                # The terminal shows the key, too.
                self.assertEqual(read.line().replace("^C", "").rsplit(" ", 1)[0], "SIGINT 1")
                os.kill(pid, signal.SIGTERM)
                self.assertEqual(read.line().rsplit(" ", 1)[0], "SIGTERM 1", command)
                # Before the terminal is closed.
                self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)

    def test_a_program_that_a_signal_ends_looks_so_from_outside(self):
        for number in [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV]:
            for command, _ in self.ways(self.launcher(f"#!/bin/sh\n[ \"$1\" = __watch ] || kill -{number} $$\n")):
                done = subprocess.run(command, env=support.environment(), check=False, cwd=support.folder(), timeout=support.PATIENCE)
                self.assertEqual(done.returncode, -number, command)

    def test_a_killed_launcher_leaves_no_program_behind(self):
        for command, _ in self.ways(self.stub()):
            with self.running(command) as (process, shown, pid):
                process.kill()
                process.wait(support.PATIENCE)
                # The other end of the pipe is closed when the program has ended; it may say why.
                self.assertIn(shown.line(), ["", f"SIGTERM 1 {pid}"], command)
                self.assertEqual(shown.line(), "", command)

    def test_a_program_that_cannot_be_run_says_so(self):
        launcher = self.launcher("#!/bin/sh\n")
        program = launcher.parent.parent / npm.platform_name(support.machine()) / "headroom"
        program.chmod(0o644)
        for command, _ in self.ways(launcher):
            self.assertIn("headroom: cannot run", support.run(*command, status=126))
        shutil.rmtree(program.parent)
        for command, _ in self.ways(launcher):
            self.assertIn("install headroom-rs-cli again, with optional dependencies", support.run(*command, status=127))

    def test_without_a_new_glibc_the_static_program_is_taken(self):
        if "linux" not in support.machine():
            raise unittest.SkipTest("there is one C library on this system")
        launcher = self.launcher("#!/bin/sh\necho gnu\n")
        musl = npm.platform_name(support.machine().replace("-gnu", "-musl"))
        folder = launcher.parent.parent / musl
        folder.mkdir()
        (folder / "package.json").write_text("{}")
        (folder / "headroom").write_text("#!/bin/sh\necho musl\n")
        (folder / "headroom").chmod(0o755)
        package = launcher.parent / "package.json"
        manifest = json.loads(package.read_text())
        for oldest, expected in [([2, 17], "gnu"), ([2, 999], "musl"), ([3, 0], "musl")]:
            package.write_text(json.dumps({**manifest, "oldestGlibc": oldest}))
            for command, _ in self.ways(launcher):
                self.assertEqual(support.run(*command), f"{expected}\n")


class Shown:
    """What a program shows, line by line."""

    def __init__(self, stream):
        self.stream = stream
        self.text = b""

    def line(self):
        """Returns the next line, or nothing at the end."""
        while b"\n" not in self.text:
            if not select.select([self.stream], [], [], support.PATIENCE)[0]:
                raise AssertionError(f"nothing more is shown after {self.text}")
            try:
                part = os.read(self.stream.fileno(), 4096)
            except OSError:  # the terminal is gone
                part = b""
            if not part:
                break
            self.text += part
        line, _, self.text = self.text.partition(b"\n")
        return line.decode().rstrip("\r")
