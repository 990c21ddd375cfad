"""What the tests of the packages share: the binary, the packages that are made of it once, and a web server."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import installer  # noqa: E402
import targets  # noqa: E402

ROOT = targets.ROOT
PATIENCE = 60
_TEMPORARY = tempfile.TemporaryDirectory(prefix="headroom-packages-")
FOLDER = pathlib.Path(_TEMPORARY.name)
BODY = json.dumps(
    {
        "model": "claude-opus-5-5",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "content": json.dumps([{"id": n, "state": "ready", "zone": "eu-west-1"} for n in range(200)], indent=2),
                    }
                ],
            },
        ],
    }
)


def machine():
    """Returns the target of this machine, or None if a release has none."""
    processor = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}.get(platform.machine())
    system = {"Linux": "unknown-linux-gnu", "Darwin": "apple-darwin"}.get(platform.system())
    return f"{processor}-{system}" if processor and system else None


def binary():
    """Returns the binary that is packed; a test that needs it is skipped without one."""
    if "HEADROOM_BINARY" not in os.environ or machine() is None:
        raise unittest.SkipTest("HEADROOM_BINARY names no binary of this machine")
    return pathlib.Path(os.environ["HEADROOM_BINARY"])


def small_binary():
    """Returns a program that runs the binary, for what is quicker with less."""
    file = FOLDER / "small"
    file.write_text(f"#!/bin/sh\nexec '{binary()}' \"$@\"\n")
    file.chmod(0o755)
    return file


@functools.cache
def packages():
    """Returns a folder with all packages of this machine, and a release around them."""
    folder = FOLDER / "release"
    build("binary", machine(), binary(), "--out", folder, "--level", "1")
    # What another machine would make is not opened here.
    for target in targets.TARGETS:
        if not (folder / targets.archive(target)).exists():
            (folder / targets.archive(target)).write_text(target)
    build("release", folder)
    return folder


def build(*arguments):
    command = [sys.executable, ROOT / "packaging/build.py", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def only(pattern):
    """Returns the one package with such a name."""
    (found,) = packages().glob(pattern)
    return found


def environment(**more):
    """Returns the variables of a program: none of this process but PATH, and a home of its own."""
    home = FOLDER / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ["PATH", "TMPDIR", "SSL_CERT_FILE"] if name in os.environ}
    return kept | {"HOME": str(home), "HEADROOM_HOME": str(home / "headroom")} | {name: str(value) for name, value in more.items()}


def run(*command, status=0, text="", env=None, cwd=None):
    """Runs a program and returns what it printed."""
    done = subprocess.run(
        list(map(str, command)), input=text, env=env or environment(), cwd=cwd, capture_output=True, text=True, timeout=10 * PATIENCE
    )
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr if status else done.stdout


def check_program(case, *command):
    """Asserts that a command is the program: its version, a request through it, and its status."""
    case.assertEqual(run(*command, "--version"), f"headroom {targets.version()}\n")
    smaller = run(*command, "compress", text=BODY)
    case.assertEqual(smaller, run(binary(), "compress", text=BODY))
    case.assertLess(len(smaller), len(BODY) / 2)
    case.assertIn("Usage", run(*command, "compress", "--no-such-flag", status=2))


@contextlib.contextmanager
def server(answer):
    """Serves `answer(path)`, bytes or None, on a free port of this machine; gives the address and the paths asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = answer(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", asked
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def folder_server(folder):
    def answer(path):
        file = folder / path.lstrip("/")
        return file.read_bytes() if file.is_file() else None

    return server(answer)


def folder():
    """Returns a new folder of this run."""
    return pathlib.Path(tempfile.mkdtemp(dir=FOLDER))
