//! `headroom doctor`: diagnoses the installation.

mod agents;
mod args;
mod bill;
mod models;

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use headroom_core::{Retrieval, Tier};
use serde::Serialize;
use serde_json::json;

pub(crate) use self::args::{DoctorArgs, EXAMPLES};
use crate::{
    cmd::{
        hook::{self, InstalledHook},
        wrap::{self, Agent, PersistentSetup},
    },
    config::{self, Config, Store},
    output,
    proxy::{Listener, probe},
    store,
};

/// Errors of `headroom doctor`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DoctorError {
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Good,
    /// Works, but with something to know.
    Note,
    Broken,
}

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    subject: String,
    health: Health,
    what: String,
}

/// Runs all checks, prints the findings, and returns whether all is well.
pub(crate) fn run(args: &DoctorArgs, config: &Config, file: Option<&Path>) -> Result<bool, DoctorError> {
    if args.bill {
        return bill::run(args).map(|()| true);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DoctorError::Runtime)?;
    let address = config.listen.address();
    let listener = runtime.block_on(probe(address));
    let mut findings = vec![
        configuration(file),
        finding("tier", Health::Good, config.tier.to_string()),
        epochs(config),
        finding("upstreams", Health::Good, config.upstreams.to_string()),
        runtime.block_on(kept(&config.store)),
        runtime.block_on(retrieval(config)),
        models::classifier(&config.models),
        models::prose(&config.models),
        proxy(&listener, &address.to_string()),
    ];
    findings.extend(variables());
    findings.extend(wrap::persisted().into_iter().map(|one| persisted(one, &runtime)));
    findings.extend(hook::installed().into_iter().map(hooked));
    let running = listener.is_ours().then_some(address);
    findings.extend(Agent::value_variants().iter().filter_map(|agent| agents::finding(*agent, running)));
    let text = if args.json { format!("{}\n", json!({"findings": findings})) } else { table(&findings) };
    let written = if args.json { output::write(text.as_bytes()) } else { output::write_painted(&text) };
    written.map_err(DoctorError::Write)?;
    Ok(findings.iter().all(|finding| finding.health != Health::Broken))
}

fn finding(subject: impl Into<String>, health: Health, what: impl Into<String>) -> Finding {
    Finding { subject: subject.into(), health, what: what.into() }
}

fn configuration(file: Option<&Path>) -> Finding {
    // An unreadable file has ended the command already.
    let what = match config::file(file) {
        Some(path) if path.exists() => format!("{}", path.display()),
        Some(path) => format!("defaults and variables; there is no {}", path.display()),
        None => "defaults and variables; HOME is not set".to_owned(),
    };
    finding("configuration", Health::Good, what)
}

/// Says whether old content may leave at new prompts, and where it cannot.
fn epochs(config: &Config) -> Finding {
    let can_retrieve = config.retrieval != Retrieval::Disabled && config.tier == Tier::Recoverable;
    let what = match (config.epochs().is_on(), can_retrieve) {
        (false, _) => "off: what was sent stays as it was sent",
        (true, false) => "on, but without effect: the model could not retrieve what leaves",
        (true, true) => {
            "on, where rewriting is expected to be more than repaid; not for models without a known price; \
             --epochs off turns them off"
        }
    };
    finding("epochs", Health::Good, what)
}

async fn kept(store: &Store) -> Finding {
    if *store == Store::Memory {
        return finding(
            "store",
            Health::Note,
            "memory: originals are lost when the proxy ends, and no other program can read them",
        );
    }
    match store.check().await {
        Ok(()) => finding("store", Health::Good, store.to_string()),
        Err(error) => {
            let reason = store::reason(Some(&error));
            finding("store", Health::Broken, format!("nothing can be elided: {reason}"))
        }
    }
}

async fn retrieval(config: &Config) -> Finding {
    let originals_dir = config.originals_dir.as_ref().filter(|_| config.retrieval == Retrieval::File);
    let checked = match originals_dir {
        Some(originals_dir) => originals_dir.open().check().await,
        None => Ok(()),
    };
    match checked {
        Ok(()) => finding("retrieval", Health::Good, config.describe_retrieval()),
        Err(error) => {
            let reason = store::reason(Some(&error));
            finding("retrieval", Health::Broken, format!("file, but nothing can be elided: {reason}"))
        }
    }
}

fn proxy(listener: &Listener, address: &str) -> Finding {
    match listener {
        Listener::Headroom { version } if version == env!("CARGO_PKG_VERSION") => {
            finding("proxy", Health::Good, format!("{version} runs at http://{address}"))
        }
        Listener::Headroom { version } => finding(
            "proxy",
            Health::Note,
            format!(
                "{version} runs at http://{address}, but this is {}; restart it to use the same version",
                env!("CARGO_PKG_VERSION")
            ),
        ),
        Listener::Nobody => finding(
            "proxy",
            Health::Note,
            format!("not running at {address}; start `headroom proxy`, unless you use `headroom wrap AGENT`"),
        ),
        Listener::Other => finding(
            "proxy",
            Health::Broken,
            format!("{address} is taken by another program; choose another address with HEADROOM_LISTEN"),
        ),
    }
}

/// Checks an agent that was set up with `--persist`.
fn persisted(one: PersistentSetup, runtime: &tokio::runtime::Runtime) -> Finding {
    let PersistentSetup { agent, file, proxy } = one;
    let subject = format!("{agent}, persistent");
    let file = file.display();
    let Some(url) = proxy else {
        let what = format!("{file} no longer names the proxy; `headroom unwrap {agent}` forgets the setup");
        return finding(subject, Health::Note, what);
    };
    let address = url.trim_start_matches("http://").parse().ok();
    match address.map_or(Listener::Nobody, |address| runtime.block_on(probe(address))) {
        Listener::Headroom { .. } => finding(subject, Health::Good, format!("goes to {url} ({file})")),
        Listener::Nobody | Listener::Other => finding(
            subject,
            Health::Broken,
            format!(
                "goes to {url} ({file}), but no Headroom proxy answers there: start `headroom proxy`, or undo it with \
                 `headroom unwrap {agent}`"
            ),
        ),
    }
}

/// Checks a hook that was installed.
fn hooked(hook: InstalledHook) -> Finding {
    let InstalledHook { agent, file, command, has_program } = hook;
    let (subject, file) = (format!("{agent}, hook"), file.display());
    match command {
        None => {
            let what = format!("{file} no longer has it; `headroom hook uninstall {agent}` forgets it");
            finding(subject, Health::Note, what)
        }
        Some(command) if !has_program => {
            let what = format!("{file} runs `{command}`, which does not exist; install it again");
            finding(subject, Health::Broken, what)
        }
        Some(_) => finding(
            subject,
            Health::Good,
            format!("makes results of Bash, Grep and MCP tools smaller ({file})"),
        ),
    }
}

fn variables() -> Option<Finding> {
    let unknown = config::unknown_variables();
    (!unknown.is_empty())
        .then(|| finding("variables", Health::Note, format!("unknown, ignored: {}", unknown.join(", "))))
}

fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or_default();
    let paint = output::Paint::new(output::has_colours());
    let mut text = String::new();
    for Finding { subject, health, what } in findings {
        let mark = match health {
            Health::Good => paint.good("ok    "),
            Health::Note => paint.doubtful("note  "),
            Health::Broken => paint.bad("broken"),
        };
        let (subject, what) = (output::content(subject), output::content(what));
        text.push_str(&format!("{mark}  {subject:width$}  {what}\n"));
    }
    text
}
