//! `headroom wrap`: runs an agent behind a proxy that ends with it.

mod agent;
mod args;
mod base_url;
mod child;
mod context;
mod first_run;
mod manual_setup;
#[cfg(unix)]
mod orphan;
mod persist;
mod plan;
mod summary;
mod table;

use std::{
    env,
    io::{self, IsTerminal},
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::Arc,
};

use headroom_core::Retrieval;
use serde_json::json;

#[cfg(all(unix, feature = "evals"))]
pub(crate) use self::orphan::bound_to_us;
#[cfg(unix)]
pub(crate) use self::orphan::step;
pub(crate) use self::{
    agent::{Agent, find},
    args::{EXAMPLES, UNWRAP_EXAMPLES, UnwrapArgs, WrapArgs},
    persist::{PersistError, PersistentSetup, ServiceKind, persisted, unwrap},
};
use self::{
    base_url::BaseUrl,
    context::ContextTool,
    plan::Plan,
    summary::{Receipt, Summary},
};
use crate::{
    config::{Config, InvalidBase},
    ledger::LedgerTotals,
    output,
    proxy::{EmbeddedProxy, ProxyError, probe},
    store,
};

/// Errors of `headroom wrap`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WrapError {
    #[error("{place}: cannot be used as an upstream of the proxy")]
    Upstream { place: String, source: InvalidBase },
    #[error("{variable}: not a JSON object, so nothing can be added to it")]
    Inline { variable: &'static str },
    #[error("{program} is not installed, or not in PATH; install it with: {install}")]
    Missing { program: &'static str, install: &'static str },
    #[error("cannot run {program}")]
    Spawn { program: &'static str, source: io::Error },
    #[error(
        "no Headroom proxy answers at {address}; start one with `headroom proxy`, or omit --join to start one for this run"
    )]
    NoProxy { address: SocketAddr },
    #[error("HEADROOM_CONTEXT_TOOL: unknown tool {name}; expected rtk, lean-ctx or none")]
    ContextTool { name: String },
    #[error("{program} is not in PATH; install it, or pass --context-tool none")]
    NoContextTool { program: &'static str },
    #[error("cannot write a file for this run")]
    File(#[source] io::Error),
    #[error(transparent)]
    Durable(#[from] PersistError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl WrapError {
    /// The exit status that shells use for this error.
    pub(crate) const fn status(&self) -> u8 {
        match self {
            Self::Missing { .. } => 127,
            Self::Spawn { .. } => 126,
            Self::Upstream { .. } | Self::Inline { .. } | Self::ContextTool { .. } => 2,
            Self::NoContextTool { .. } => 127,
            Self::Durable(error) if error.is_usage() => 2,
            Self::Durable(_) => 1,
            Self::NoProxy { .. } | Self::File(_) | Self::Proxy(_) | Self::Runtime(_) | Self::Write(_) => 1,
        }
    }
}

/// Runs the agent and returns its exit status.
pub(crate) fn run(args: &WrapArgs, config: &Config, file: Option<&Path>) -> Result<u8, WrapError> {
    let shared = config.listen.address();
    if args.persist {
        let WrapArgs { agent, print, json, .. } = *args;
        let service = args.service.map(|kind| kind.unwrap_or_else(ServiceKind::of_this_system));
        persist::persist(&persist::PersistRequest { agent, print, json, service, file }, config)?;
        return Ok(0);
    }
    if args.print {
        return print(args, shared).map(|()| 0);
    }
    let runtime = crate::runtime::server().map_err(WrapError::Runtime)?;
    let receipt = Arc::new(Summary::default());
    let mut base_url = if args.join {
        if !runtime.block_on(probe(shared)).is_ours() {
            return Err(WrapError::NoProxy { address: shared });
        }
        BaseUrl::Shared(shared)
    } else {
        let seen = Arc::clone(&receipt);
        let proxy = EmbeddedProxy::new(config, move |exchange| seen.add(exchange))?;
        BaseUrl::Own { runtime: &runtime, proxy: Box::new(proxy), config, open: Vec::new() }
    };
    let Some(mut plan) = Plan::new(args.agent, upstream_is_set(args), shared, &mut base_url)? else {
        return steps(args.agent, shared).map(|()| 0);
    };
    ContextTool::asked(args.context_tool)?.attach(args.agent, &mut plan, &args.args)?;
    for note in &plan.notes {
        output::note(&format_args!("headroom: {note}"));
    }
    if !args.join {
        first_run::say();
        runtime.block_on(check(config));
        if let Some(originals_dir) =
            config.originals_dir.as_ref().filter(|_| config.retrieval == Retrieval::File)
        {
            plan.let_read(args.agent, originals_dir.folder());
        }
    }
    let result = child::run(command(args, &plan), &runtime);
    base_url.flush();
    let bill = base_url.sums().unwrap_or_default();
    // Cancels responses that the agent did not wait for.
    drop(base_url);
    runtime.shutdown_background();
    let ended = result.map_err(|source| failed(args.agent, source))?;
    finish(args, shared, &receipt, &bill, ended.is_interrupted);
    Ok(ended.status)
}

fn command(args: &WrapArgs, plan: &Plan) -> Command {
    // Windows itself finds programs that end in `.exe` only.
    let path = find(args.agent.program()).filter(|_| cfg!(windows));
    let mut command = Command::new(path.unwrap_or_else(|| args.agent.program().into()));
    command.args(plan.arguments(&args.args)).envs(plan.variables.iter().map(|(name, value)| (name, value)));
    command
}

fn failed(agent: Agent, source: io::Error) -> WrapError {
    let program = agent.program();
    match source.kind() {
        io::ErrorKind::NotFound => WrapError::Missing { program, install: agent.install },
        _ => WrapError::Spawn { program, source },
    }
}

/// Whether the user configured an upstream of Headroom's.
fn upstream_is_set(args: &WrapArgs) -> bool {
    let variables = [
        "HEADROOM_UPSTREAM",
        "HEADROOM_ANTHROPIC_UPSTREAM",
        "HEADROOM_OPENAI_UPSTREAM",
        "HEADROOM_GEMINI_UPSTREAM",
    ];
    args.upstream.is_some() || variables.iter().any(|name| env::var_os(name).is_some())
}

/// Warns, before the agent takes the terminal, of problems that would prevent most savings.
async fn check(config: &Config) {
    let checked = match (&config.originals_dir, &config.store) {
        (Some(originals_dir), _) if config.retrieval == Retrieval::File => originals_dir.open().check().await,
        (_, store) => store.check().await,
    };
    if let Err(error) = checked {
        let reason = store::reason(Some(&error));
        output::note(&format_args!("headroom: nothing can be elided until this is fixed: {reason}"));
    }
}

fn print(args: &WrapArgs, shared: SocketAddr) -> Result<(), WrapError> {
    let Some(mut plan) = Plan::new(args.agent, false, shared, &mut BaseUrl::Shared(shared))? else {
        return steps(args.agent, shared);
    };
    ContextTool::asked(args.context_tool)?.attach(args.agent, &mut plan, &args.args)?;
    for note in &plan.notes {
        output::note(&format_args!("headroom: {note}"));
    }
    let arguments: Vec<_> = plan.arguments(&args.args).map(|text| text.to_string_lossy()).collect();
    let text = if args.json {
        let variables: serde_json::Map<_, _> =
            plan.variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        format!(
            "{}\n",
            json!({"program": args.agent.program(), "environment": variables, "arguments": arguments})
        )
    } else {
        let exports = plan.variables.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value)));
        let call = arguments.iter().map(|argument| format!(" {}", quoted(argument)));
        let call: String = [args.agent.program().to_owned()].into_iter().chain(call).collect();
        format!("{}{call}\n", exports.collect::<String>())
    };
    output::write(text.as_bytes()).map_err(WrapError::Write)
}

fn steps(agent: Agent, shared: SocketAddr) -> Result<(), WrapError> {
    output::write(manual_setup::instructions(agent, shared).as_bytes()).map_err(WrapError::Write)
}

/// Quotes text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Prints the summary. The agent may have left the terminal in the middle of a line.
fn finish(args: &WrapArgs, shared: SocketAddr, receipt: &Summary, bill: &LedgerTotals, is_interrupted: bool) {
    let totals = receipt.totals();
    let program = args.agent.program();
    if is_interrupted && io::stderr().is_terminal() {
        output::note(&"");
    }
    if args.join {
        output::note(&format_args!(
            "headroom: {program} went through the proxy at http://{shared}, which keeps its own count"
        ));
    } else if args.json {
        output::note(&json!({"headroom": totals, "tokens_saved": totals.saved(), "bill": bill}));
    } else if totals.is_empty() {
        output::note(&format_args!(
            "headroom: no request came through the proxy; if {program} made any, its own settings sent them elsewhere"
        ));
    } else {
        output::note(&format_args!("headroom: {}", Receipt { totals, bill }));
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        for (text, word) in [
            ("http://127.0.0.1:8787/v1", "http://127.0.0.1:8787/v1"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }
}
