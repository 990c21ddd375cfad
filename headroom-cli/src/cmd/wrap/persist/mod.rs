//! `headroom wrap --persist` and `headroom unwrap`: point an agent's own configuration at the proxy, and undo that.

mod change;
mod lines;
mod report;
mod service;
mod tables;
mod target;
mod text;
mod undo;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::{
    change::{Key, PersistChange, name},
    target::Target,
    undo::undone,
};
pub(crate) use self::{service::ServiceKind, undo::unwrap};
use super::{Agent, manual_setup};
use crate::{
    cmd::hook::HookError,
    config::{Base, Config, InvalidBase},
    file,
    journal::{Journal, missing_folders},
    output,
    proxy::probe,
};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersistError {
    #[error("HOME is not set, so the files of {agent} cannot be found")]
    Home { agent: &'static str },
    #[error("no folder to record the change in, so it could not be undone; set HEADROOM_HOME")]
    NoFolder,
    #[error("cannot use the record of changes")]
    Journal(#[source] io::Error),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} was changed by another program meanwhile; try again", path.display())]
    Raced { path: PathBuf },
    #[error("{} cannot be changed safely, and was left unchanged; by hand: {what}", path.display())]
    Unsafe { path: PathBuf, what: String },
    #[error("{place}: cannot be used as an upstream of the proxy")]
    Upstream { place: String, source: InvalidBase },
    #[error(
        "{place} is {is}, but the proxy sends these requests to {goes}; to keep {place}, add \
         `{setting}_upstream = \"{is}\"` to the proxy's configuration (`headroom config print` shows it)"
    )]
    Elsewhere { place: String, is: Box<Base>, goes: String, setting: &'static str },
    #[error("Codex uses the provider {provider}, whose address cannot be set")]
    Provider { provider: String },
    #[error("--persist needs a fixed port, but `listen` uses port 0; set HEADROOM_LISTEN")]
    Port,
    #[error("agents cannot send the token that a proxy on {address} requires; let it listen on 127.0.0.1")]
    Reachable { address: std::net::SocketAddr },
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Service(#[from] service::ServiceError),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Print(#[source] io::Error),
}

impl PersistError {
    /// Whether the command was called or configured wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoFolder
                | Self::Upstream { .. }
                | Self::Elsewhere { .. }
                | Self::Port
                | Self::Reachable { .. }
        )
    }
}

/// The arguments of `headroom wrap --persist`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PersistRequest<'a> {
    pub(super) agent: Agent,
    pub(super) print: bool,
    pub(super) json: bool,
    /// What starts the proxy at login; `None` if nothing is to.
    pub(super) service: Option<ServiceKind>,
    /// The configuration file named on the command line.
    pub(super) file: Option<&'a Path>,
}

/// Points the agent's own configuration at the proxy.
pub(super) fn persist(asked: &PersistRequest<'_>, config: &Config) -> Result<(), PersistError> {
    let address = config.listen.address();
    if address.port() == 0 {
        return Err(PersistError::Port);
    }
    if !address.ip().is_loopback() {
        return Err(PersistError::Reachable { address });
    }
    if asked.print {
        let Some(target) = Target::for_agent(asked.agent, config)? else {
            return say(&manual_setup::instructions(asked.agent, address));
        };
        return say(&report::shown(asked, &target));
    }
    let journal = journal()?;
    let agent = name(asked.agent);
    let mut noted: Option<PersistChange> = journal.read(&agent).map_err(PersistError::Journal)?;
    if let Some(change) = noted.take_if(|change| change.proxy != format!("http://{address}")) {
        undo::undo(&journal, &agent, &change)?;
    }
    let Some(mut target) = Target::for_agent(asked.agent, config)? else {
        return say(&manual_setup::instructions(asked.agent, address));
    };
    let is_there = target.text.is_some() && target.after() == target.text;
    if !is_there {
        // The file was changed since, or a process was killed while it wrote it.
        if let Some(change) = &noted {
            undo::undo(&journal, &agent, change)?;
            target.read()?;
        }
        write(&journal, &agent, &target)?;
    }
    let start = |kind| service::start(kind, &journal, config, asked.file);
    let served = asked.service.map(start).transpose()?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PersistError::Runtime)?;
    let listener = runtime.block_on(probe(address));
    say(&report::report(asked, &target, !is_there, &listener, served.as_deref()))
}

fn journal() -> Result<Journal, PersistError> {
    Journal::locked(change::folder().ok_or(PersistError::NoFolder)?).map_err(PersistError::Journal)
}

/// Records the change, then makes it.
fn write(journal: &Journal, agent: &str, target: &Target) -> Result<(), PersistError> {
    let by_hand =
        || PersistError::Unsafe { path: target.file.clone(), what: report::lines(&target.keys).join(", ") };
    let after = target.after().ok_or_else(by_hand)?;
    let before = target.text.as_deref().unwrap_or(target.start);
    let key = |(path, value): &(Vec<String>, String)| {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let get = |names: &[&str]| target.format.get(before, names).ok().flatten();
        let made = (1..names.len()).filter(|depth| names.get(..*depth).and_then(get).is_none()).count();
        Key { path: path.clone(), value: value.clone(), before: get(&names), made }
    };
    let change = PersistChange {
        file: target.file.clone(),
        format: target.format,
        before: target.text.clone(),
        keys: target.keys.iter().map(key).collect(),
        folders: missing_folders(&target.file),
        proxy: target.proxy(),
        after,
    };
    file::sweep(&change.file);
    // Recorded first, so that the change can be undone at any moment.
    journal.write(agent, &change).map_err(PersistError::Journal)?;
    let failed = |source| PersistError::Write { path: change.file.clone(), source };
    let written = match file::read(&change.file) {
        Ok(now) if now == change.before => file::replace(&change.file, &change.after).map_err(failed),
        Ok(_) => Err(PersistError::Raced { path: change.file.clone() }),
        Err(source) => Err(failed(source)),
    };
    if written.is_err() {
        journal.forget(agent).map_err(PersistError::Journal)?;
    }
    written
}

/// The state of an agent that was set up with `--persist`.
#[derive(Debug)]
pub(crate) struct PersistentSetup {
    pub(crate) agent: String,
    pub(crate) file: PathBuf,
    /// The proxy that it is pointed at; `None` if the file says something else now.
    pub(crate) proxy: Option<String>,
}

/// All agents that were set up with `--persist`.
pub(crate) fn persisted() -> Vec<PersistentSetup> {
    let one = |(agent, change): (Agent, PersistChange)| {
        let text = fs::read_to_string(&change.file).unwrap_or_default();
        let has = |key: &Key| undone::stands(&change, key, &text);
        let leads = change.keys.iter().any(has);
        PersistentSetup {
            agent: name(agent),
            file: change.file.clone(),
            proxy: leads.then_some(change.proxy),
        }
    };
    change::persisted().into_iter().map(one).collect()
}

fn say(text: &str) -> Result<(), PersistError> {
    output::write(text.as_bytes()).map_err(PersistError::Print)
}
