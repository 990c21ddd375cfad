//! Recognises paths, and files that were generated, vendored or built rather than written by people.

/// Directories with installed, built or vendored files.
const MADE_DIRECTORIES: [&str; 28] = [
    ".cache",
    ".eggs",
    ".git",
    ".gradle",
    ".mypy_cache",
    ".next",
    ".nuxt",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".terraform",
    ".tox",
    ".venv",
    ".yarn",
    "Pods",
    "__pycache__",
    "__snapshots__",
    "bower_components",
    "coverage",
    "dist",
    "dist-packages",
    "generated",
    "node_modules",
    "site-packages",
    "target",
    "third_party",
    "vendor",
    "venv",
];
/// Directories with build output if they are at the root of a project; deeper, they may be anything.
const BUILD_DIRECTORIES: [&str; 3] = ["build", "obj", "out"];
/// Lock files, written by package managers.
const LOCKS: [&str; 18] = [
    "Cargo.lock",
    "Gemfile.lock",
    "Package.resolved",
    "Pipfile.lock",
    "Podfile.lock",
    "bun.lock",
    "bun.lockb",
    "composer.lock",
    "flake.lock",
    "go.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pubspec.lock",
];
const MORE_LOCKS: [&str; 4] = ["uv.lock", "yarn.lock", "deno.lock", "pdm.lock"];
/// Endings of the names of generated, minified or recorded files.
const MADE_ENDS: [&str; 24] = [
    ".bundle.js",
    ".chunk.js",
    ".css.map",
    ".d.ts.map",
    ".designer.cs",
    ".freezed.dart",
    ".g.cs",
    ".g.dart",
    ".generated.cs",
    ".generated.go",
    ".generated.ts",
    ".js.map",
    ".min.css",
    ".min.js",
    ".min.mjs",
    ".pb.cc",
    ".pb.go",
    ".pb.h",
    ".snap",
    "_generated.go",
    "_generated.rs",
    "_pb2.py",
    "_pb2_grpc.py",
    ".tsbuildinfo",
];

/// Known file names without an extension.
const BARE: [&str; 12] = [
    "BUILD",
    "CMakeLists",
    "Dockerfile",
    "Gemfile",
    "Jenkinsfile",
    "LICENSE",
    "Makefile",
    "Procfile",
    "README",
    "Rakefile",
    "Vagrantfile",
    "justfile",
];

fn directories(path: &str) -> impl Iterator<Item = &str> {
    let end = separator(path).unwrap_or(0);
    path.get(..end).unwrap_or_default().split(['/', '\\'])
}

/// Returns the offset of the last separator.
fn separator(path: &str) -> Option<usize> {
    memchr::memrchr2(b'/', b'\\', path.as_bytes())
}

fn file_name(path: &str) -> &str {
    separator(path).and_then(|at| path.get(at + 1..)).unwrap_or(path)
}

/// Returns the parent directory with its separator. A separator at the end of the path does not count.
pub(crate) fn directory(path: &str) -> Option<&str> {
    let body = path.strip_suffix(['/', '\\']).unwrap_or(path);
    path.get(..=separator(body)?)
}

/// Whether a directory of this name has installed, built or vendored files.
pub(crate) fn is_made_directory(name: &str) -> bool {
    MADE_DIRECTORIES.contains(&name) || name.ends_with(".egg-info") || name.ends_with(".dist-info")
}

/// Whether the file is vendored, generated, minified or written by a package manager.
pub(crate) fn is_made(path: &str) -> bool {
    let mut directories = directories(path.strip_prefix("./").unwrap_or(path)).peekable();
    let built = directories.peek().is_some_and(|first| BUILD_DIRECTORIES.contains(first));
    built || is_made_file(path) || directories.any(is_made_directory)
}

/// Whether the name alone shows that the file is generated, minified or written by a package manager.
pub(super) fn is_made_file(path: &str) -> bool {
    let name = file_name(path);
    LOCKS.contains(&name) || MORE_LOCKS.contains(&name) || MADE_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether the file contains tests or examples.
pub(crate) fn is_test(path: &str) -> bool {
    let name = file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("Test")
        || [".test.", ".spec.", "_spec."].iter().any(|part| name.contains(part))
        || directories(path).any(|directory| {
            matches!(
                directory,
                "test" | "tests" | "__tests__" | "spec" | "testdata" | "fixtures" | "examples"
            )
        })
}

/// Returns the text after the last dot of the name, if it looks like an extension.
pub(crate) fn extension(path: &str) -> Option<&str> {
    let name = file_name(path);
    let extension = name.get(memchr::memrchr(b'.', name.as_bytes())? + 1..)?;
    let fits = (1..=12).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && extension.bytes().any(|byte| byte.is_ascii_alphabetic());
    fits.then_some(extension)
}

const LETTER: u8 = 1;
const SEPARATOR: u8 = 2;
const SPACE: u8 = 4;
/// Bytes that tools do not print in paths, or that make a path hard to distinguish from other text.
const ODD: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            classes[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' => LETTER,
                b'/' | b'\\' => SEPARATOR,
                b' ' => SPACE,
                0..=31 | 127 | b'"' | b'<' | b'>' | b'|' | b'`' | b'*' | b'?' => ODD,
                _ => 0,
            };
        }
        byte += 1;
    }
    classes
};

/// Whether this may be the path of a file or a directory.
pub(crate) fn is_path(path: &str) -> bool {
    let path = path.strip_suffix(['/', '\\']).unwrap_or(path);
    let class = |byte: u8| CLASSES.get(usize::from(byte)).copied().unwrap_or(ODD);
    let any = path.bytes().fold(0, |any, byte| any | class(byte));
    if any & ODD != 0 || any & LETTER == 0 || path.starts_with(' ') || path.ends_with(' ') {
        return false;
    }
    if any & SPACE != 0 {
        let start = path.split(' ').next().unwrap_or_default();
        return separator(start).is_some() && extension(path).is_some() && !path.contains(": ");
    }
    if any & SEPARATOR != 0 {
        return !path.contains("://");
    }
    let name = file_name(path);
    extension(path).is_some() || BARE.contains(&name)
}
