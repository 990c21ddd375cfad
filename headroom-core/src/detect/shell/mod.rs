//! Decides whether a shell command shows the content of a file.
//!
//! Commands are parsed like a shell does, as far as needed to separate programs from arguments. Nothing is run or
//! expanded.

mod named;
mod program;
mod words;

use words::Command;

/// Limit on the nesting of commands inside commands.
const MAX_DEPTH: usize = 4;

/// Whether any pipeline of this command line shows a file.
pub(super) fn reads_file(line: &str) -> bool {
    line_reads(line, 0)
}

/// Like [`reads_file`], for a command given as a program and its arguments.
pub(super) fn argv_reads_file(argv: &[String]) -> bool {
    program::shows_file(argv, false, 0)
}

/// Whether any command of this command line is one of these programs.
pub(super) fn runs(line: &str, programs: &[&str]) -> bool {
    words::pipelines(line).iter().flatten().any(|command| program::is_any(&command.words, programs))
}

/// Like [`runs`], for a command given as a program and its arguments.
pub(super) fn argv_runs(argv: &[String], programs: &[&str]) -> bool {
    program::is_any(argv, programs)
}

/// Returns the words of a command line that are neither programs nor options.
pub(super) fn operands(line: &str) -> Vec<String> {
    let mut operands = Vec::new();
    for command in words::pipelines(line).into_iter().flatten() {
        let inner = command.substitutions.iter().flat_map(|inner| words::pipelines(inner)).flatten();
        for words in std::iter::once(command.words.clone()).chain(inner.map(|command| command.words)) {
            // A script after `-c` has words of its own.
            let scripts = words.iter().skip(1).filter(|word| word.contains(' ') && word.contains('.'));
            operands.extend(
                scripts
                    .flat_map(|script| words::pipelines(script))
                    .flatten()
                    .flat_map(|command| command.words.into_iter().skip(1)),
            );
            operands.extend(
                words.into_iter().skip(1).filter(|word| !word.starts_with('-') && !word.contains(' ')),
            );
        }
    }
    operands
}

/// Returns the words of a command line that name files edited in place, or written from a here-document.
pub(super) fn edited(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for command in words::pipelines(line).into_iter().flatten() {
        if program::edits_in_place(&command.words) {
            names.extend(command.words.into_iter().skip(1).filter(|word| !word.starts_with('-')));
        }
    }
    for line in line.lines().filter(|line| line.contains("<<")) {
        let mut words = line.split([' ', '\t', ';']).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let target = word.trim_start_matches('>');
            match words.peek() {
                Some(next) if matches!(word, ">" | ">>" | "tee") => names.push((*next).to_owned()),
                _ if target.len() < word.len() => names.push(target.to_owned()),
                _ => {}
            }
        }
    }
    names
}

/// Whether any command of this command line prints a file whose name passes the test, or may.
pub(super) fn shows(line: &str, is_file: &dyn Fn(&str) -> bool) -> bool {
    line_shows(line, is_file, 0)
}

/// Like [`shows`], for a command given as a program and its arguments.
pub(super) fn argv_shows(argv: &[String], is_file: &dyn Fn(&str) -> bool) -> bool {
    let is_inner = |line: &str| line_shows(line, is_file, 1);
    named::shows(argv, &is_inner, is_file)
}

/// Passes on the words of commands that fetch what an address names.
pub(super) fn fetched(line: &str, visit: &mut dyn FnMut(&str)) {
    const FETCHERS: [&str; 5] = ["aria2c", "curl", "http", "wget", "xh"];
    for pipeline in words::pipelines(line) {
        if let Some(command) = pipeline.first().filter(|command| program::is_any(&command.words, &FETCHERS)) {
            command.words.iter().for_each(|word| visit(word));
        }
    }
}

fn line_shows(line: &str, is_file: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    if depth >= MAX_DEPTH {
        return false;
    }
    let is_inner = |line: &str| line_shows(line, is_file, depth + 1);
    let shows = |command: &Command| {
        let inside = || command.substitutions.iter().any(|inner| is_inner(inner));
        let input = || command.input.as_deref().is_some_and(is_file);
        named::shows(&command.words, &is_inner, is_file) || input() || inside()
    };
    words::pipelines(line).iter().any(|pipeline| {
        // What `find` names, `xargs cat` prints.
        let passed = || pipeline.iter().any(|command| program::passes_names(&command.words));
        let named = || pipeline.iter().flat_map(|command| &command.words).any(|word| is_file(word));
        pipeline.iter().all(|command| !command.writes_file)
            && (pipeline.iter().any(shows) || passed() && named())
    })
}

fn line_reads(line: &str, depth: usize) -> bool {
    if depth >= MAX_DEPTH {
        return false;
    }
    words::pipelines(line).iter().any(|pipeline| pipeline_reads(pipeline, depth))
}

/// Whether a command of the pipeline shows a file, and the following ones pass its lines on.
fn pipeline_reads(pipeline: &[Command], depth: usize) -> bool {
    let reader = pipeline.iter().rposition(|command| {
        program::shows_file(&command.words, command.reads_input, depth)
            || (program::echoes(&command.words)
                && command.substitutions.iter().any(|inner| line_reads(inner, depth + 1)))
    });
    let Some(reader) = reader else { return false };
    let shown = pipeline.get(reader..).unwrap_or_default();
    shown.iter().all(|command| !command.writes_file)
        && shown.iter().skip(1).all(|command| !program::transforms(&command.words))
}
