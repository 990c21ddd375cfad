//! Decides whether a command prints a certain file.

use super::program::{name, of_command, operands, shows_blob, skip_options};

/// Programs that print something about a file rather than the file, or nothing.
const SILENT: [&str; 41] = [
    "[",
    "basename",
    "cd",
    "chmod",
    "chown",
    "cksum",
    "cmp",
    "code",
    "cp",
    "diff",
    "dirname",
    "du",
    "echo",
    "emacs",
    "eza",
    "false",
    "file",
    "install",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mv",
    "nano",
    "patch",
    "printf",
    "readlink",
    "realpath",
    "rm",
    "sha1sum",
    "sha256sum",
    "shasum",
    "stat",
    "test",
    "touch",
    "tree",
    "true",
    "vi",
    "vim",
    "wc",
    "which",
];
/// Programs whose first argument is a pattern.
const SEARCHERS: [&str; 9] = ["ack", "ag", "egrep", "fgrep", "grep", "rg", "ripgrep", "ugrep", "zgrep"];
/// Their options that take a value.
const VALUED: &str =
    "-A -B -C -m -g -t -T -d -D -M -j --glob --include --exclude --type --max-count --context";

/// Whether a command prints a file that passes the test. A program that is not known may.
pub(super) fn shows<W: AsRef<str>>(
    words: &[W],
    is_inner: &dyn Fn(&str) -> bool,
    is_file: &dyn Fn(&str) -> bool,
) -> bool {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let words = of_command(&words);
    let Some((program, arguments)) = words.split_first() else { return false };
    let program = name(program);
    // A glob with `!` names what is left out.
    let any = |arguments: &[&str]| arguments.iter().any(|word| !word.contains('!') && is_file(word));
    match program.as_str() {
        program if SILENT.contains(&program) => false,
        "git" => shows_blob(arguments) && any(arguments),
        "find" | "fd" => {
            let runs = |word: &&str| matches!(*word, "-exec" | "-execdir" | "-x" | "-X");
            let at = arguments.iter().position(runs).map(|at| at + 1);
            let inner = at.and_then(|at| arguments.get(at..)).unwrap_or_default();
            !inner.is_empty()
                && any(arguments)
                && !inner.first().is_some_and(|inner| SILENT.contains(&name(inner).as_str()))
        }
        "sed" | "perl"
            if arguments.iter().any(|word| word.starts_with("-i") || word.starts_with("--in-place")) =>
        {
            false
        }
        "bash" | "sh" | "zsh" | "dash" | "ssh" | "docker" | "podman" | "kubectl" => {
            arguments.iter().any(|word| is_inner(word)) || any(arguments)
        }
        program if SEARCHERS.contains(&program) => {
            let lists = |word: &&str| {
                matches!(*word, "-l" | "-L" | "-c" | "-q" | "--files" | "--count" | "--files-with-matches")
            };
            let given = arguments.iter().any(|word| matches!(*word, "-e" | "-f" | "--regexp" | "--file"));
            let operands = operands(arguments, VALUED);
            let files = operands.get(usize::from(!given)..).unwrap_or_default();
            let options = skip_options(arguments, VALUED);
            let globs = arguments.get(..arguments.len() - options.len()).unwrap_or_default();
            !arguments.iter().any(lists) && (any(files) || any(globs))
        }
        _ => any(arguments),
    }
}
