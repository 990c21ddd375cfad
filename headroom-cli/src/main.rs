//! The `headroom` binary: a proxy and a filter that make LLM prompts smaller, and what gives back what they
//! set aside.
#![forbid(unsafe_code)]
#![allow(rustdoc::bare_urls, reason = "some of it is the help text")]

mod args;
mod compress;
mod config;
mod core_dumps;
mod dashboard;
mod doctor;
mod evals;
mod file;
mod inspect;
mod jsonc;
mod ledger;
mod mcp;
mod model;
mod output;
mod proxy;
mod retrieve;
mod savings;
mod secret;
mod shell;
mod simulate;
mod store;
mod tokens;
mod usage;
mod wrap;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use headroom_core::{Headroom, Means};
use headroom_store::OriginalStore;
use headroom_tower::HeadroomLayer;
use serde_json::json;

use crate::{
    args::{Args, Command, ConfigCommand},
    config::{Config, ConfigError, Models, Settings},
};

fn main() -> ExitCode {
    // Before anything else: it is a step of `headroom wrap` and no command.
    #[cfg(unix)]
    if let Some(code) = wrap::step(std::env::args_os().skip(1)) {
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
            compress::run(&compress, &config)?;
        }
        Command::Retrieve(retrieve) => {
            let settings = Settings { store: retrieve.store.clone(), ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            retrieve::run(&retrieve, &config)?;
        }
        Command::Savings(savings) => savings::run(&savings)?,
        Command::Config(command) => return show_config(command, args.config.as_deref()),
        Command::Proxy(settings) => {
            let read = move || config::load((*settings).clone(), args.config.as_deref());
            let config = read()?;
            config::warn_of_unknown_variables();
            let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
            let result = runtime.block_on(proxy::run(config, read));
            // Requests that outlived the drain end here; a name lookup must not hold up the exit.
            runtime.shutdown_background();
            result?;
        }
        Command::Completions(shell) => shell::completions(&shell).context("cannot write standard output")?,
        Command::Dashboard(dashboard) => {
            let settings = Settings { listen: dashboard.listen, ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            dashboard::run(&dashboard, &config)?;
        }
        Command::Doctor(doctor) => {
            let config = config::load(Settings::default(), args.config.as_deref())?;
            return Ok(u8::from(!doctor::run(&doctor, &config, args.config.as_deref())?));
        }
        Command::Man(man) => shell::man(&man).context("cannot write the manual")?,
        Command::Evals(evals) => {
            let config = config::load(Settings::default(), args.config.as_deref())?;
            return Ok(u8::from(!evals::run(&evals, &config)?));
        }
        Command::Inspect(inspect) => {
            let settings = Settings { tier: inspect.tier, means: inspect.means, ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            inspect::run(&inspect, &config)?;
        }
        Command::Mcp(mcp) => {
            let settings = Settings { store: mcp.store.clone(), ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            mcp::run(&mcp, &config)?;
        }
        Command::Model(command) => model::run(&command)?,
        Command::Simulate(simulate) => {
            let settings = Settings { tier: simulate.tier, ..Settings::default() };
            let config = config::load(settings, args.config.as_deref())?;
            simulate::run(&simulate, &config)?;
        }
        Command::Wrap(wrap) => {
            let config = config::load(wrap.settings(), args.config.as_deref())?;
            return Ok(wrap::run(&wrap, &config, args.config.as_deref())?);
        }
        Command::Unwrap(unwrap) => wrap::unwrap(&unwrap)?,
    }
    Ok(0)
}

/// The layer as it is configured, the same in the proxy and the filter.
fn configured(config: &Config, store: Arc<dyn OriginalStore>) -> HeadroomLayer {
    let layer = layer(config, store);
    match &config.spool {
        Some(spool) if config.means == Means::File => layer.spool(spool.open()),
        _ => layer.means(config.means),
    }
}

/// `headroom config`. The exit status tells whether it can be used.
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

/// The layer with the default means.
fn layer(config: &Config, store: Arc<dyn OriginalStore>) -> HeadroomLayer {
    HeadroomLayer::with_store(store).tier(config.tier).engine(engine(&config.models))
}

/// The engine with its models. Those that cannot be loaded are off for as long as this process lives.
fn engine(models: &Models) -> Headroom {
    let (engine, failed) = models.engine();
    for reason in failed {
        output::note(&format_args!("headroom: {reason}"));
    }
    engine
}

/// 2 where the user has to call `headroom` differently, 1 where it went wrong.
fn status(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<wrap::WrapError>() {
        return error.status();
    }
    let is_usage = error.is::<ConfigError>()
        || error.downcast_ref::<wrap::DurableError>().is_some_and(wrap::DurableError::is_usage)
        || error.downcast_ref::<compress::CompressError>().is_some_and(compress::CompressError::is_usage)
        || error.downcast_ref::<evals::EvalsError>().is_some_and(evals::EvalsError::is_usage)
        || error.downcast_ref::<dashboard::DashboardError>().is_some_and(dashboard::DashboardError::is_usage)
        || error.downcast_ref::<inspect::InspectError>().is_some_and(inspect::InspectError::is_usage)
        || error.downcast_ref::<model::ModelCommandError>().is_some_and(model::ModelCommandError::is_usage)
        || error.downcast_ref::<mcp::McpError>().is_some_and(mcp::McpError::is_usage)
        || error.downcast_ref::<retrieve::RetrieveError>().is_some_and(retrieve::RetrieveError::is_usage)
        || error.downcast_ref::<savings::SavingsError>().is_some_and(savings::SavingsError::is_usage)
        || error.downcast_ref::<proxy::ProxyError>().is_some_and(proxy::ProxyError::is_usage);
    if is_usage { 2 } else { 1 }
}
