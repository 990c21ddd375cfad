//! `headroom hook`: makes the results of tools smaller inside an agent that no proxy fits, before they enter the
//! conversation.

mod agent;
mod args;
mod install;
mod run;

pub(crate) use self::{
    args::{EXAMPLES, HookCommand},
    install::{HookError, InstalledHook, Removal, installed, remove_all},
    run::run as answer,
};

/// Changes an agent's settings. Answering a call is [`answer`], which cannot fail.
pub(crate) fn run(command: &HookCommand) -> Result<(), HookError> {
    match command {
        HookCommand::Install(args) => install::install(args),
        HookCommand::Uninstall(args) => install::uninstall(args),
        HookCommand::Run(_) => Ok(()),
    }
}
