"""The wheel of one platform: the program, put beside Python's own by pip, uv and pipx."""

import base64
import hashlib
import zipfile

import archive
import targets

DISTRIBUTION = targets.PACKAGE.replace("-", "_")

METADATA = """\
Metadata-Version: 2.4
Name: {name}
Version: {version}
Summary: {summary}
Author: {author}
License-Expression: {licence}
License-File: LICENSE-APACHE
License-File: LICENSE-MIT
Project-URL: Source, {repository}
Keywords: llm,prompt,compression,agent,tokens
Classifier: Environment :: Console
Classifier: Intended Audience :: Developers
Classifier: Programming Language :: Rust
Requires-Python: >=3.10
Description-Content-Type: text/markdown

{description}"""


def files(target, binary):
    """Returns the platform of the wheel, its files by their path, and the path of the list of them."""
    info = f"{DISTRIBUTION}-{targets.python_version()}.dist-info"
    program = binary.read_bytes()
    tag = targets.wheel_tag(target, program)
    tags = "".join(f"Tag: py3-none-{one}\n" for one in tag.split("."))
    manifest = targets.manifest()
    source = targets.ROOT / "packaging/python"
    metadata = METADATA.format(
        name=targets.PACKAGE,
        version=targets.python_version(),
        summary=targets.SUMMARY,
        author=manifest["authors"],
        licence=manifest["license"],
        repository=manifest["repository"],
        description=(source / "README.md").read_text(),
    )
    data = f"{DISTRIBUTION}-{targets.python_version()}.data/scripts/{targets.program(target)}"
    found = {data: program}
    for path in sorted((source / DISTRIBUTION).glob("*.py")):
        found[f"{DISTRIBUTION}/{path.name}"] = path.read_bytes()
    found[f"{info}/METADATA"] = metadata.encode()
    found[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: headroom\nRoot-Is-Purelib: false\n{tags}".encode()
    # `uvx` and `pipx run` look for a program with the name of the package.
    found[f"{info}/entry_points.txt"] = f"[console_scripts]\n{targets.PACKAGE} = {DISTRIBUTION}:main\n".encode()
    for name in targets.LICENCES:
        found[f"{info}/licenses/{name}"] = (targets.ROOT / name).read_bytes()
    return tag, found, f"{info}/RECORD"


def build(target, binary, out, level):
    """Writes the wheel and returns its path."""
    tag, found, record = files(target, binary)
    path = out / f"{DISTRIBUTION}-{targets.python_version()}-py3-none-{tag}.whl"
    lines = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as wheel:
        for name, content in found.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}\n")
            wheel.writestr(archive.entry(name, "/scripts/" in name), content)
        wheel.writestr(archive.entry(record), "".join(lines) + f"{record},,\n")
    return path
