//! Decides whether a shell command shows the content of a file.
//!
//! Commands are parsed like a shell does, as far as needed to separate programs from arguments. Nothing is run or
//! expanded.

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
