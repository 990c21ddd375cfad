"""The Homebrew formula of a release."""

import targets

FORMULA = """\
class Headroom < Formula
  desc "{description}"
  homepage "{repository}"
  version "{version}"
  license any_of: ["MIT", "Apache-2.0"]

{platforms}
  def install
    bin.install "headroom"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/headroom.bash" => "headroom"
    zsh_completion.install "completions/_headroom"
    fish_completion.install "completions/headroom.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/headroom --version")
  end
end
"""

# On Linux the static programs, since Homebrew may have a C library of its own.
PLATFORMS = {
    "macos": {"arm": "aarch64-apple-darwin", "intel": "x86_64-apple-darwin"},
    "linux": {"arm": "aarch64-unknown-linux-musl", "intel": "x86_64-unknown-linux-musl"},
}


def url(target):
    return f"{targets.manifest()['repository']}/releases/download/v{targets.version()}/{targets.archive(target)}"


def formula(sums):
    """Returns the formula; `sums` are the checksums by file name."""
    platforms = ""
    for system, processors in PLATFORMS.items():
        platforms += f"  on_{system} do\n"
        for processor, target in processors.items():
            platforms += f"    on_{processor} do\n"
            platforms += f'      url "{url(target)}"\n      sha256 "{sums[targets.archive(target)]}"\n    end\n'
        platforms += "  end\n\n"
    return FORMULA.format(
        description="Makes the prompts in LLM requests smaller",
        repository=targets.manifest()["repository"],
        version=targets.version(),
        platforms=platforms.rstrip("\n") + "\n",
    )
