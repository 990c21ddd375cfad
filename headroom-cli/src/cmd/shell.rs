//! Shell completions and manual pages, generated from the command-line definitions.

use std::{fs, io, path::PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Args;
use crate::output;

pub(crate) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  bash, for this user:
    headroom completions bash > ~/.local/share/bash-completion/completions/headroom
  zsh, into a folder of $fpath:
    headroom completions zsh > ~/.zfunc/_headroom
  fish:
    headroom completions fish > ~/.config/fish/completions/headroom.fish

Exit status: 0 success, 1 failure, 2 wrong usage.";

pub(crate) const MAN_EXAMPLES: &str = "\
Examples:
  Read it:
    headroom man | man -l -
  Install a page for every subcommand:
    headroom man --dir ~/.local/share/man/man1

Exit status: 0 success, 1 failure, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Write a page for every subcommand into this folder instead
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completions.
pub(crate) fn completions(args: &CompletionsArgs) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "headroom", &mut script);
    output::write(&script)
}

/// Prints the manual page, or writes all of them.
pub(crate) fn man(args: &ManArgs) -> io::Result<()> {
    match &args.dir {
        Some(folder) => {
            fs::create_dir_all(folder)?;
            clap_mangen::generate_to(Args::command(), folder)
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut page)?;
            output::write(&page)
        }
    }
}
