use std::{env, path::PathBuf};

use clap::builder::PossibleValue;

use super::{WrapError, plan::Planner, table::AGENTS};
use crate::dirs::value;

/// An agent that can run behind the proxy, or for which the setup steps can be printed: a row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agent {
    /// The name on the command line.
    pub(super) name: &'static str,
    /// The name for people, and when only the steps are printed.
    pub(super) title: &'static str,
    /// The name of its executable.
    pub(super) program: &'static str,
    /// The command that installs it.
    pub(super) install: &'static str,
    /// What leads it through the proxy for one run.
    pub(super) route: Route,
    /// The steps to take by hand, with `{proxy}` for the address.
    pub(super) steps: Option<&'static str>,
    /// Its file for `--persist`.
    pub(super) file: Option<PersistFile>,
    /// A variable that sets its base URL.
    pub(super) variable: Option<&'static str>,
    /// What it does differently with a custom base URL, by its documentation or its behaviour.
    pub(super) loses: Option<&'static str>,
}

/// What leads an agent through the proxy for one run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Route {
    /// Variables of its environment.
    Variables(&'static [ApiVariables]),
    /// The same, if the user has set this variable. Without it, no variable has an effect.
    VariablesWith(&'static str, &'static [ApiVariables]),
    /// Variables, arguments or files that depend on its configuration. `false` if they would have no effect.
    Plan(fn(&mut Planner<'_, '_>) -> Result<bool, WrapError>),
    /// Nothing: the steps are printed.
    Steps,
}

/// Variables that name the base URL of one API.
#[derive(Clone, Copy, Debug)]
pub(super) struct ApiVariables {
    /// The agent reads each of them.
    pub(super) names: &'static [&'static str],
    /// What it expects after the host.
    pub(super) path: &'static str,
    /// Where its requests go without the variable, if not to the provider of the API.
    pub(super) default: Option<&'static str>,
}

impl ApiVariables {
    pub(super) const fn new(names: &'static [&'static str], path: &'static str) -> Self {
        Self { names, path, default: None }
    }
}

/// The configuration file of an agent whose keys are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersistFile {
    Claude,
    Codex,
    Opencode,
    Gemini,
    Aider,
    Goose,
}

impl Agent {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn program(&self) -> &'static str {
        self.program
    }

    pub(crate) const fn variable(&self) -> Option<&'static str> {
        self.variable
    }

    pub(crate) const fn loses(&self) -> Option<&'static str> {
        self.loses
    }

    /// Whether `headroom wrap` runs it, at least with some settings.
    pub(crate) const fn is_wrapped(&self) -> bool {
        !matches!(self.route, Route::Steps)
    }

    /// Whether this is Claude Code, whose files and hooks are known.
    pub(super) fn is_claude(&self) -> bool {
        self.name == "claude"
    }
}

impl clap::ValueEnum for Agent {
    fn value_variants<'a>() -> &'a [Self] {
        &AGENTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).help(self.title))
    }
}

/// Searches `PATH` for a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    // What Windows takes for programs; npm installs those that end in `.cmd`.
    let endings = if cfg!(windows) {
        value("PATHEXT").unwrap_or_else(|| ".EXE;.CMD".to_owned())
    } else {
        String::new()
    };
    find_in(env::split_paths(&folders), program, &endings)
}

/// Searches folders for a program with one of these endings, which `;` separates.
fn find_in(mut folders: impl Iterator<Item = PathBuf>, program: &str, endings: &str) -> Option<PathBuf> {
    let names: Vec<String> =
        endings.split(';').map(|ending| format!("{program}{}", ending.to_lowercase())).collect();
    folders.find_map(|folder| names.iter().map(|name| folder.join(name)).find(|path| path.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_the_endings_of_the_system() {
        let folders = tempfile::tempdir().unwrap();
        let path = |name: &str| folders.path().join(name);
        for name in ["a", "b"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        for name in ["a/claude", "b/claude.cmd", "b/codex.exe"] {
            std::fs::write(path(name), "").unwrap();
        }
        let find = |program, endings| find_in([path("a"), path("b")].into_iter(), program, endings);
        assert_eq!(find("claude", ""), Some(path("a/claude")));
        assert_eq!(find("claude", ".COM;.EXE;.CMD"), Some(path("b/claude.cmd")));
        assert_eq!(find("codex", ".COM;.EXE;.CMD"), Some(path("b/codex.exe")));
        assert_eq!(find("codex", ""), None);
    }
}
