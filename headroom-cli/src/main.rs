//! The `headroom` binary: a proxy and a filter that make LLM prompts smaller, and commands to retrieve what they
//! elided.
#![forbid(unsafe_code)]
#![allow(rustdoc::bare_urls, reason = "some of it is the help text")]

mod blocks;
mod chain;
mod cmd;
mod config;
mod core_dumps;
mod dirs;
mod file;
mod head;
mod journal;
mod jsonc;
mod ledger;
mod observed;
mod output;
mod proxy;
mod runtime;
mod secret;
mod setup;
mod store;
mod tokens;
mod usage;

use std::process::ExitCode;

use clap::Parser;

// Commands find these here.
use crate::{
    chain::Chain,
    cmd::{
        args::{self, Args, Command},
        error::CommandError,
        hook::HookCommand,
    },
    config::Settings,
};

fn main() -> ExitCode {
    // First of all: it may be a step of `headroom wrap`, which is not a command.
    #[cfg(unix)]
    if let Some(code) = crate::cmd::wrap::step(std::env::args_os().skip(1)) {
        return code;
    }
    match run(Args::try_parse().unwrap_or_else(|error| args::hide_passwords(error).exit())) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output::note(&format_args!("headroom: {}", Chain(&error)));
            ExitCode::from(error.status())
        }
    }
}

fn run(args: Args) -> Result<u8, CommandError> {
    let file = args.config.as_deref();
    let load = |settings| config::load(settings, file);
    match args.command {
        Command::Compress(compress) => cmd::compress::run(&compress, &load(compress.settings())?)?,
        Command::Retrieve(retrieve) => cmd::retrieve::run(&retrieve, &load(retrieve.settings())?)?,
        Command::Savings(savings) => cmd::savings::run(&savings)?,
        Command::Config(command) => return cmd::config::run(command, file),
        Command::Proxy(settings) => cmd::proxy::run(*settings, args.config)?,
        Command::Completions(shell) => cmd::shell::completions(&shell).map_err(CommandError::Write)?,
        Command::Dashboard(dashboard) => cmd::dashboard::run(&dashboard, &load(dashboard.settings())?)?,
        Command::Demo(demo) => cmd::demo::run(&demo)?,
        Command::Doctor(doctor) => {
            let config = load(Settings::default())?;
            return Ok(u8::from(!cmd::doctor::run(&doctor, &config, file)?));
        }
        #[cfg(feature = "envoy")]
        Command::Extproc(extproc) => cmd::extproc::run(*extproc, args.config)?,
        Command::Man(man) => cmd::shell::man(&man).map_err(CommandError::Write)?,
        #[cfg(feature = "evals")]
        Command::Evals(evals) => {
            return Ok(u8::from(!cmd::evals::run(&evals, &load(evals.settings())?)?));
        }
        // A call of an agent succeeds even if the configuration cannot be read.
        Command::Hook(HookCommand::Run(call)) => cmd::hook::answer(&call, file),
        Command::Hook(hook) => cmd::hook::run(&hook)?,
        Command::Inspect(inspect) => cmd::inspect::run(&inspect, &load(inspect.settings())?)?,
        Command::Mcp(mcp) => cmd::mcp::run(&mcp, &load(mcp.settings())?)?,
        Command::Model(command) => cmd::model::run(&command)?,
        Command::Simulate(simulate) => {
            cmd::simulate::run(&simulate, &load(simulate.settings())?)?;
        }
        Command::Update(update) => cmd::update::run(&update)?,
        Command::Wrap(wrap) => return Ok(cmd::wrap::run(&wrap, &load(wrap.settings())?, file)?),
        Command::Unwrap(unwrap) => cmd::wrap::unwrap(&unwrap)?,
    }
    Ok(0)
}
