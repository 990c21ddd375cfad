//! The `headroom` binary: a proxy and a filter that make LLM prompts smaller, and commands to retrieve what they
//! elided.
#![forbid(unsafe_code)]
#![allow(rustdoc::bare_urls, reason = "some of it is the help text")]

mod args;
mod cmd;
mod config;
mod core_dumps;
mod file;
mod jsonc;
mod ledger;
mod output;
mod proxy;
mod secret;
mod store;
mod tokens;
mod usage;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use headroom_core::{Engine, Retrieval};
use headroom_store::OriginalStore;
use headroom_tower::HeadroomLayer;
use serde_json::json;

use crate::{
    args::{Args, Command, ConfigCommand},
    config::{Config, ConfigError, Models, Settings},
};

fn main() -> ExitCode {
    // First of all: it may be a step of `headroom wrap`, which is not a command.
    #[cfg(unix)]
    if let Some(code) = crate::cmd::wrap::step(std::env::args_os().skip(1)) {
        return code;
    }
    match run(Args::parse()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output::note(&format_args!("headroom: {error:#}"));
            ExitCode::from(status(&error))
        }
    }
}

fn run(args: Args) -> Result<u8> {
    match args.command {
        Command::Compress(compress) => {
            let config = config::load(compress.settings(), args.config.as_deref())?;
            crate::cmd::compress::run(&compress, &config)?;
        }
        Command::Retrieve(retrieve) => {
            let settings = Settings { store: retrieve.store.clone(), ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            crate::cmd::retrieve::run(&retrieve, &config)?;
        }
        Command::Savings(savings) => crate::cmd::savings::run(&savings)?,
        Command::Config(command) => return show_config(command, args.config.as_deref()),
        Command::Proxy(settings) => {
            let read = move || config::load((*settings).clone(), args.config.as_deref());
            let config = read()?;
            config::warn_of_unknown_variables();
            let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
            let result = runtime.block_on(proxy::run(config, read));
            // Cancels requests that outlived the drain; a name lookup must not delay the exit.
            runtime.shutdown_background();
            result?;
        }
        Command::Completions(shell) => {
            crate::cmd::shell::completions(&shell).context("cannot write standard output")?;
        }
        Command::Dashboard(dashboard) => {
            let settings = Settings { listen: dashboard.listen, ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            crate::cmd::dashboard::run(&dashboard, &config)?;
        }
        Command::Doctor(doctor) => {
            let config = config::load(Settings::default(), args.config.as_deref())?;
            return Ok(u8::from(!crate::cmd::doctor::run(&doctor, &config, args.config.as_deref())?));
        }
        Command::Man(man) => crate::cmd::shell::man(&man).context("cannot write the manual")?,
        Command::Evals(evals) => {
            let config = config::load(Settings::default(), args.config.as_deref())?;
            return Ok(u8::from(!crate::cmd::evals::run(&evals, &config)?));
        }
        Command::Inspect(inspect) => {
            let settings =
                Settings { tier: inspect.tier, retrieval: inspect.retrieval, ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            crate::cmd::inspect::run(&inspect, &config)?;
        }
        Command::Mcp(mcp) => {
            let settings = Settings { store: mcp.store.clone(), ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            crate::cmd::mcp::run(&mcp, &config)?;
        }
        Command::Model(command) => crate::cmd::model::run(&command)?,
        Command::Simulate(simulate) => {
            let settings = Settings { tier: simulate.tier, ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            crate::cmd::simulate::run(&simulate, &config)?;
        }
        Command::Wrap(wrap) => {
            let config = config::load(wrap.settings(), args.config.as_deref())?;
            return Ok(crate::cmd::wrap::run(&wrap, &config, args.config.as_deref())?);
        }
        Command::Unwrap(unwrap) => crate::cmd::wrap::unwrap(&unwrap)?,
    }
    Ok(0)
}

/// The configured layer, the same in the proxy and the filter.
fn configured(config: &Config, store: Arc<dyn OriginalStore>) -> HeadroomLayer {
    let layer = layer(config, store);
    match &config.originals_dir {
        Some(originals_dir) if config.retrieval == Retrieval::File => layer.plaintext(originals_dir.open()),
        _ => layer.retrieval(config.retrieval),
    }
}

/// `headroom config`. Returns the exit status.
fn show_config(command: ConfigCommand, file: Option<&Path>) -> Result<u8> {
    let load = || config::load(Settings::default(), file);
    let (text, status) = match command {
        ConfigCommand::Check { json: true } => match load().map_err(anyhow::Error::from) {
            Ok(_) => (format!("{}\n", json!({"ok": true})), 0),
            Err(error) => (format!("{}\n", json!({"ok": false, "error": format!("{error:#}")})), 2),
        },
        ConfigCommand::Check { json: false } => {
            (load().map(|_| "the configuration can be used\n".to_owned())?, 0)
        }
        ConfigCommand::Print { json: true } => (format!("{}\n", load()?.to_json()), 0),
        ConfigCommand::Print { json: false } => (load()?.to_toml(), 0),
        ConfigCommand::Schema => (format!("{:#}\n", config::schema()), 0),
    };
    if matches!(command, ConfigCommand::Check { .. }) {
        config::warn_of_unknown_variables();
    }
    output::write(text.as_bytes()).context("cannot write standard output")?;
    Ok(status)
}

/// The layer with the default retrieval.
fn layer(config: &Config, store: Arc<dyn OriginalStore>) -> HeadroomLayer {
    HeadroomLayer::with_store(store).tier(config.tier).engine(engine(&config.models))
}

/// The engine with its models. Models that cannot be loaded stay off in this process.
fn engine(models: &Models) -> Engine {
    let (engine, failed) = models.engine();
    for reason in failed {
        output::note(&format_args!("headroom: {reason}"));
    }
    engine
}

/// The exit status of an error: 2 for wrong usage or configuration, otherwise 1.
fn status(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<crate::cmd::wrap::WrapError>() {
        return error.status();
    }
    let is_usage = error.is::<ConfigError>()
        || error
            .downcast_ref::<crate::cmd::wrap::PersistError>()
            .is_some_and(crate::cmd::wrap::PersistError::is_usage)
        || error
            .downcast_ref::<crate::cmd::compress::CompressError>()
            .is_some_and(crate::cmd::compress::CompressError::is_usage)
        || error
            .downcast_ref::<crate::cmd::evals::EvalsError>()
            .is_some_and(crate::cmd::evals::EvalsError::is_usage)
        || error
            .downcast_ref::<crate::cmd::dashboard::DashboardError>()
            .is_some_and(crate::cmd::dashboard::DashboardError::is_usage)
        || error
            .downcast_ref::<crate::cmd::inspect::InspectError>()
            .is_some_and(crate::cmd::inspect::InspectError::is_usage)
        || error
            .downcast_ref::<crate::cmd::model::ModelCommandError>()
            .is_some_and(crate::cmd::model::ModelCommandError::is_usage)
        || error.downcast_ref::<crate::cmd::mcp::McpError>().is_some_and(crate::cmd::mcp::McpError::is_usage)
        || error
            .downcast_ref::<crate::cmd::retrieve::RetrieveError>()
            .is_some_and(crate::cmd::retrieve::RetrieveError::is_usage)
        || error
            .downcast_ref::<crate::cmd::savings::SavingsError>()
            .is_some_and(crate::cmd::savings::SavingsError::is_usage)
        || error.downcast_ref::<proxy::ProxyError>().is_some_and(proxy::ProxyError::is_usage);
    if is_usage { 2 } else { 1 }
}
