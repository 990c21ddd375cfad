//! What an agent needs to find the proxy: variables and arguments, nothing in its files.

pub(super) mod claude;
pub(super) mod codex;
pub(super) mod opencode;

use std::{
    env,
    ffi::{OsStr, OsString},
    net::SocketAddr,
    path::PathBuf,
};

use super::{WrapError, agent::Agent, base_url::BaseUrl};
use crate::config::{Base, leads_to};

/// How the agent is run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Set in its environment.
    pub(super) variables: Vec<(&'static str, String)>,
    /// Before its own arguments.
    pub(super) arguments: Vec<OsString>,
    /// What the user should know before it starts.
    pub(super) notes: Vec<String>,
}

/// Variables that name the base URL of one API, and what its clients expect in it beside the host.
type Variables = (&'static [&'static str], &'static str);

/// The environment that the agent would have without us.
pub(super) fn value(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Plan {
    /// For this agent, through this door. `None` where nothing that ends with a process can point it there.
    pub(super) fn new(
        agent: Agent,
        upstream_is_set: bool,
        shared: SocketAddr,
        door: &mut BaseUrl<'_>,
    ) -> Result<Option<Self>, WrapError> {
        let mut plan = Planner { plan: Self::default(), upstream_is_set, shared, door };
        match agent {
            Agent::Claude => claude::plan(&mut plan)?,
            Agent::Codex => codex::plan(&mut plan)?,
            Agent::Opencode => opencode::plan(&mut plan)?,
            Agent::Gemini => plan.variables(&[(&["GOOGLE_GEMINI_BASE_URL"], "")])?,
            // Both spellings: which one LiteLLM takes has changed more than once.
            Agent::Aider => plan.variables(&[
                (&["OPENAI_API_BASE", "OPENAI_BASE_URL"], "/v1"),
                (&["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"], ""),
            ])?,
            Agent::Goose => {
                plan.variables(&[(&["OPENAI_HOST"], ""), (&["ANTHROPIC_HOST"], ""), (&["GOOGLE_HOST"], "")])?;
            }
            Agent::Openhands => {
                let anthropic = value("LLM_MODEL").is_some_and(|model| model.contains("claude"));
                plan.variables(&[(&["LLM_BASE_URL"], if anthropic { "" } else { "/v1" })])?;
                plan.plan.arguments.push("--override-with-envs".into());
            }
            Agent::Copilot if value("COPILOT_PROVIDER_BASE_URL").is_some() => {
                plan.variables(&[(&["COPILOT_PROVIDER_BASE_URL"], "")])?;
            }
            Agent::Copilot | Agent::Vibe | Agent::Cline | Agent::Continue | Agent::Cursor => return Ok(None),
        }
        let mut plan = plan.plan;
        plan.keep_from_http_proxies();
        Ok(Some(plan))
    }

    /// Lets the agent read the files that markers name, where it would ask first and can be told so.
    pub(super) fn let_read(&mut self, agent: Agent, folder: &str) {
        if agent == Agent::Claude {
            self.arguments.push(format!("--add-dir={folder}").into());
        }
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.variables.push((name, value));
    }

    /// An agent that sends everything through an HTTP proxy would look there for this machine's loopback address.
    fn keep_from_http_proxies(&mut self) {
        let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"];
        if !proxies.iter().any(|name| value(name).is_some()) {
            return;
        }
        let own = "127.0.0.1,localhost";
        let except = value("NO_PROXY").or_else(|| value("no_proxy"));
        let except = except.map_or_else(|| own.to_owned(), |except| format!("{except},{own}"));
        self.set("NO_PROXY", except.clone());
        self.set("no_proxy", except);
    }

    /// The arguments of the agent's call.
    pub(super) fn arguments<'a>(&'a self, own: &'a [OsString]) -> impl Iterator<Item = &'a OsStr> {
        self.arguments.iter().chain(own).map(OsString::as_os_str)
    }
}

/// A plan being made.
struct Planner<'a, 'b> {
    plan: Plan,
    /// Whether the user told Headroom where requests go. Then what the agent was told does not count.
    upstream_is_set: bool,
    /// Where a proxy of ours is, or would be. What leads there leads to no provider.
    shared: SocketAddr,
    door: &'a mut BaseUrl<'b>,
}

impl Planner<'_, '_> {
    fn variables(&mut self, apis: &[Variables]) -> Result<(), WrapError> {
        for (names, path) in apis {
            // The agent would take one that is set, whatever it is called.
            let any = names.iter().find_map(|name| value(name));
            for name in *names {
                let set = value(name).or_else(|| any.clone());
                let url = self.url(name, set.as_deref(), path)?;
                self.plan.set(name, url);
            }
        }
        Ok(())
    }

    /// The URL that leads through the proxy to what was set at this place, or to what is configured.
    fn url(&mut self, place: &str, set: Option<&str>, path: &str) -> Result<String, WrapError> {
        let set = set.filter(|url| !self.upstream_is_set && !leads_to(url, self.shared));
        let upstream = match set {
            Some(url) => Some(
                url.parse::<Base>()
                    .map_err(|source| WrapError::Upstream { place: place.to_owned(), source })?,
            ),
            None => None,
        };
        if let Some(upstream) = &upstream
            && !self.door.is_own()
        {
            self.plan.notes.push(format!(
                "{place} is {upstream}; the proxy sends requests to its own upstream instead, see `headroom proxy --help`"
            ));
        }
        Ok(self.door.url(upstream.as_ref(), path)?)
    }
}

pub(super) fn home() -> Option<PathBuf> {
    value("HOME").or_else(|| value("USERPROFILE")).map(PathBuf::from)
}

/// The folder that this variable names, else this one of the user's home.
pub(super) fn folder(variable: &str, of_home: &str) -> Option<PathBuf> {
    value(variable).map(PathBuf::from).or_else(|| Some(home()?.join(of_home)))
}
