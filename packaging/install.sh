#!/bin/sh
# Installs the program `headroom`. The one of a release has the four values below; `packaging/build.py release` writes them.
set -eu

version=''
repository=''
# Major and minor version of the oldest glibc that the programs for it run on.
glibc=''
# The SHA-256 of every archive of the release.
checksums=''

main() {
    to=${XDG_BIN_HOME:-}
    if [ -z "$to" ] && [ -n "${HOME:-}" ]; then to=$HOME/.local/bin; fi
    from=''
    target=''
    dry=''
    while [ $# -gt 0 ]; do
        case $1 in
            --to | --from | --target)
                [ $# -ge 2 ] || usage_error "$1 needs a value"
                case $1 in
                    --to) to=$2 ;;
                    --from) from=${2%/} ;;
                    --target) target=$2 ;;
                esac
                shift
                ;;
            --dry-run) dry=yes ;;
            -h | --help) help && exit 0 ;;
            *) usage_error "unknown argument $1" ;;
        esac
        shift
    done
    [ -n "$version" ] || fail 'this is the template of the installer; use the install.sh of a release'
    [ -n "$to" ] || usage_error 'HOME is not set; pass a folder with --to'
    from=${from:-$repository/releases/download/v$version}
    target=${target:-$(this_system)}
    archive=headroom-$version-$target.tar.gz
    expected=$(checksum_of "$archive")
    [ -n "$expected" ] || fail "release $version has no program for $target"
    case $to in /*) ;; *) to=$PWD/$to ;; esac
    if [ -n "$dry" ]; then
        say "would fetch $from/$archive"
        say "would require the SHA-256 $expected"
        say "would install $to/headroom"
        return
    fi
    folder=$(mktemp -d "${TMPDIR:-/tmp}/headroom.XXXXXXXX")
    # Where a signal ends this, the exit still cleans up.
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    fetch "$from/$archive" "$folder/$archive"
    verify "$folder/$archive" "$expected"
    install_program
    report
}

help() {
    cat <<EOF
Installs headroom ${version:-(template)} for this user, without root.

Usage: sh install.sh [--to FOLDER] [--from URL] [--target TARGET] [--dry-run]

  --to FOLDER      where the program goes [default: \$XDG_BIN_HOME or ~/.local/bin]
  --from URL       folder of the archives [default: the release]
  --target TARGET  the platform, such as x86_64-unknown-linux-musl [default: this one]
  --dry-run        say what would be done, and do nothing
  -h, --help       print this

The archive must have the SHA-256 that this script carries; until then nothing in it runs. One file is written,
FOLDER/headroom; no profile of a shell is changed. HTTPS_PROXY applies.
EOF
}

say() { printf 'headroom: %s\n' "$*"; }

fail() {
    printf 'headroom: %s\n' "$*" >&2
    exit 1
}

usage_error() {
    printf 'headroom: %s; --help shows what there is\n' "$*" >&2
    exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

this_system() {
    processor=$(uname -m)
    case $processor in
        x86_64 | amd64) processor=x86_64 ;;
        arm64 | aarch64) processor=aarch64 ;;
        *) fail "there is no program for the processor $processor; build it with cargo" ;;
    esac
    case $(uname -s) in
        Linux) libc_of_linux ;;
        Darwin)
            # A shell that runs translated says it is another processor.
            [ "$(sysctl -n hw.optional.arm64 2>/dev/null || :)" != 1 ] || processor=aarch64
            printf '%s-apple-darwin\n' "$processor"
            ;;
        MINGW* | MSYS* | CYGWIN*) fail "on Windows, unpack headroom-$version-$processor-pc-windows-msvc.zip" ;;
        *) fail "there is no program for $(uname -s); build it with cargo" ;;
    esac
}

# The static program runs where there is no glibc, or an older one.
libc_of_linux() {
    found=$(getconf GNU_LIBC_VERSION 2>/dev/null || :)
    found=${found#glibc }
    major=${found%%.*}
    minor=${found#*.}
    minor=${minor%%.*}
    case $major.$minor in
        *[!0-9.]* | .* | *.) printf '%s-unknown-linux-musl\n' "$processor" && return ;;
    esac
    if [ "$major" -gt "${glibc% *}" ] || { [ "$major" -eq "${glibc% *}" ] && [ "$minor" -ge "${glibc#* }" ]; }; then
        printf '%s-unknown-linux-gnu\n' "$processor"
    else
        printf '%s-unknown-linux-musl\n' "$processor"
    fi
}

checksum_of() {
    printf '%s\n' "$checksums" | while read -r sum name; do
        if [ "$name" = "$1" ]; then printf '%s\n' "$sum"; fi
    done
}

# What is fetched over TLS stays there, redirects as well.
fetch() {
    say "fetches $1"
    secure=''
    case $1 in https:*) secure=yes ;; esac
    if has curl; then
        curl --fail --silent --show-error --location ${secure:+--proto =https --tlsv1.2} --output "$2" "$1" ||
            fail "cannot fetch $1"
    elif has wget; then
        wget --quiet --output-document="$2" "$1" || fail "cannot fetch $1"
    else
        fail 'curl or wget is needed'
    fi
}

verify() {
    if has sha256sum; then
        found=$(sha256sum "$1")
    elif has shasum; then
        found=$(shasum -a 256 "$1")
    elif has openssl; then
        found=$(openssl dgst -sha256 -r "$1")
    else
        fail 'sha256sum, shasum or openssl is needed to verify what was fetched; nothing was installed'
    fi
    found=${found%% *}
    [ "$found" = "$2" ] || fail "the archive has the SHA-256 $found where $2 is expected; nothing was installed"
    say "has the SHA-256 $2"
}

install_program() {
    tar -xzf "$folder/$archive" -C "$folder" || fail 'the archive cannot be unpacked; nothing was installed'
    new=$folder/headroom-$version-$target/headroom
    "$new" --version >/dev/null 2>"$folder/error" ||
        fail "the program does not run here; nothing was installed: $(cat "$folder/error")"
    mkdir -p "$to" || fail "cannot make $to; pass another folder with --to"
    was=''
    if [ -e "$to/headroom" ]; then was=yes; fi
    # In one step, so that no call finds a part of it.
    part=$to/.headroom-$$.tmp
    if ! { cp "$new" "$part" && chmod 755 "$part" && mv -f "$part" "$to/headroom"; }; then
        rm -f "$part"
        fail "cannot write $to/headroom; pass another folder with --to"
    fi
}

report() {
    if [ -n "$was" ]; then say "replaced $to/headroom with version $version"; else say "installed $to/headroom"; fi
    case :${PATH:-}: in
        *:"$to":*) ;;
        *) say "is not found by name yet; add this to the profile of your shell: export PATH=\"$to:\$PATH\"" ;;
    esac
    say "undo it: headroom unwrap && rm '$to/headroom'"
    say "its data, once it has any, is in ~/.headroom"
}

# At the end, so that a script that was cut off does nothing.
main "$@"
