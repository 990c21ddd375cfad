//! Plans the variables and arguments that point an agent at the proxy. Its files are not changed.

pub(super) mod claude;
pub(super) mod codex;
pub(super) mod opencode;

use std::{
    ffi::{OsStr, OsString},
    net::SocketAddr,
};

use super::{WrapError, agent::Agent, base_url::BaseUrl};
use crate::{
    config::{Base, leads_to},
    dirs::value,
};

/// How the agent is run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Variables of its environment.
    pub(super) variables: Vec<(&'static str, String)>,
    /// Arguments in front of the user's.
    pub(super) arguments: Vec<OsString>,
    /// Notes for the user before the agent starts.
    pub(super) notes: Vec<String>,
}

/// Variables that name the base URL of one API, and what its clients expect in it after the host.
type Variables = (&'static [&'static str], &'static str);

impl Plan {
    /// Plans the run of an agent through a proxy. `None` if no variable or argument can point it there.
    pub(super) fn new(
        agent: Agent,
        upstream_is_set: bool,
        shared: SocketAddr,
        base_url: &mut BaseUrl<'_>,
    ) -> Result<Option<Self>, WrapError> {
        let mut plan = Planner { plan: Self::default(), upstream_is_set, shared, base_url };
        match agent {
            Agent::Claude => claude::plan(&mut plan)?,
            Agent::Codex => codex::plan(&mut plan)?,
            Agent::Opencode => opencode::plan(&mut plan)?,
            Agent::Gemini => plan.variables(&[(&["GOOGLE_GEMINI_BASE_URL"], "")])?,
            // Both spellings: LiteLLM has changed more than once which one it reads.
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

    /// Allows the agent to read the files that markers name, if it would otherwise ask.
    pub(super) fn let_read(&mut self, agent: Agent, folder: &str) {
        if agent == Agent::Claude {
            self.arguments.push(format!("--add-dir={folder}").into());
        }
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.variables.push((name, value));
    }

    /// Exempts the loopback address from the HTTP proxies that the environment names.
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

    /// All arguments of the agent.
    pub(super) fn arguments<'a>(&'a self, own: &'a [OsString]) -> impl Iterator<Item = &'a OsStr> {
        self.arguments.iter().chain(own).map(OsString::as_os_str)
    }
}

/// A plan under construction.
struct Planner<'a, 'b> {
    plan: Plan,
    /// Whether the user configured an upstream of Headroom's, which overrides the agent's own address.
    upstream_is_set: bool,
    /// The address of a shared proxy, running or not. It is never an upstream.
    shared: SocketAddr,
    base_url: &'a mut BaseUrl<'b>,
}

impl Planner<'_, '_> {
    fn variables(&mut self, apis: &[Variables]) -> Result<(), WrapError> {
        for (names, path) in apis {
            // The agent reads any variable that is set, whichever its name.
            let any = names.iter().find_map(|name| value(name));
            for name in *names {
                let set = value(name).or_else(|| any.clone());
                let url = self.url(name, set.as_deref(), path)?;
                self.plan.set(name, url);
            }
        }
        Ok(())
    }

    /// The URL that leads through the proxy to the address set at this place, or to the configured upstream.
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
            && !self.base_url.is_own()
        {
            self.plan.notes.push(format!(
                "{place} is {upstream}; the proxy sends requests to its own upstream instead, see `headroom proxy --help`"
            ));
        }
        Ok(self.base_url.url(upstream.as_ref(), path)?)
    }
}
