"""Reads Rust sources as far as the checks beside it need: code without comments and strings, and where functions end."""

import pathlib
import re
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A character literal is told from a lifetime by its closing quote.
SKIPPED = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | \bb?r(\#*)".*?"\1
      | \bb?"(?:\\.|[^"\\])*"
      | "(?:\\.|[^"\\])*"
      | b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\\n])'
    """,
    re.DOTALL | re.VERBOSE,
)
FUNCTION = re.compile(r"\bfn\s+(\w+)")


def crates():
    """Yields the name and folder of every member of the workspace."""
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]
    for member in workspace["members"]:
        yield member, ROOT / member


def files(folder):
    """Returns the Rust files below a folder, without those that are built or fetched."""
    return sorted(path for path in folder.rglob("*.rs") if "target" not in path.relative_to(folder).parts)


def code(source):
    """Returns the code with comments, strings and characters blanked; offsets and lines stay the same."""
    return SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)


def functions(source):
    """Yields the name, first line and number of lines of every function with a body."""
    text = code(source)
    for found in FUNCTION.finditer(text):
        end = body_end(text, found.end())
        if end:
            first = text.count("\n", 0, found.start()) + 1
            yield found.group(1), first, text.count("\n", found.start(), end) + 1


def body_end(text, at):
    """Returns where the body of a function ends whose name ends at `at`; nothing if it has none."""
    depth = 0
    for offset in range(at, len(text)):
        letter = text[offset]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth == 0 and letter == "}":
                return offset + 1
        elif letter == ";" and depth == 0:
            return None
    return None
