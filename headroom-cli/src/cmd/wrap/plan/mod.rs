//! Plans the variables and arguments that point an agent at the proxy. Its files are not changed.

pub(super) mod claude;
pub(super) mod codex;
pub(super) mod droid;
pub(super) mod kimi;
pub(super) mod opencode;
pub(super) mod openhands;
pub(super) mod pi;

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
};

use tempfile::TempPath;

use super::{
    WrapError,
    agent::{Agent, ApiVariables, Route},
    base_url::BaseUrl,
};
use crate::{
    config::{Base, leads_to},
    dirs::{headroom_home, value},
    file, secret,
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
    /// Files that the arguments name, removed with the plan.
    files: Vec<TempPath>,
}

impl Plan {
    /// Plans the run of an agent through a proxy. `None` if no variable or argument can point it there.
    pub(super) fn new(
        agent: Agent,
        upstream_is_set: bool,
        shared: SocketAddr,
        base_url: &mut BaseUrl<'_>,
    ) -> Result<Option<Self>, WrapError> {
        let mut plan = Planner { plan: Self::default(), upstream_is_set, shared, base_url };
        let is_led = match agent.route {
            Route::Variables(apis) => plan.variables(apis).map(|()| true)?,
            Route::VariablesWith(name, apis) if value(name).is_some() => {
                plan.variables(apis).map(|()| true)?
            }
            Route::Plan(make) => make(&mut plan)?,
            Route::VariablesWith(..) | Route::Steps => false,
        };
        if !is_led {
            return Ok(None);
        }
        let mut plan = plan.plan;
        plan.keep_from_http_proxies();
        Ok(Some(plan))
    }

    /// Allows the agent to read the files that markers name, if it would otherwise ask.
    pub(super) fn let_read(&mut self, agent: Agent, folder: &str) {
        if agent.is_claude() {
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
pub(super) struct Planner<'a, 'b> {
    plan: Plan,
    /// Whether the user configured an upstream of Headroom's, which overrides the agent's own address.
    upstream_is_set: bool,
    /// The address of a shared proxy, running or not. It is never an upstream.
    shared: SocketAddr,
    base_url: &'a mut BaseUrl<'b>,
}

impl Planner<'_, '_> {
    fn variables(&mut self, apis: &[ApiVariables]) -> Result<(), WrapError> {
        for api in apis {
            // The agent reads any variable that is set, whichever its name.
            let any = api.names.iter().find_map(|name| value(name));
            let any = any.or_else(|| api.default.map(str::to_owned));
            for name in api.names {
                let set = value(name).or_else(|| any.clone());
                let url = self.url(name, set.as_deref(), api.path)?;
                self.plan.set(name, url);
            }
        }
        Ok(())
    }

    /// Writes a file that an argument names, readable for its owner only. It is removed after this run. With a shared
    /// proxy it stays, because a command that is printed names it.
    fn file(&mut self, agent: &str, extension: &str, text: &str) -> Result<PathBuf, WrapError> {
        let write = |planner: &mut Self| {
            if planner.base_url.is_own() {
                let suffix = format!(".{extension}");
                let mut file = tempfile::Builder::new().prefix("headroom-").suffix(&suffix).tempfile()?;
                file.write_all(text.as_bytes())?;
                let path = file.into_temp_path();
                let place = path.to_path_buf();
                planner.plan.files.push(path);
                return Ok(place);
            }
            let folder = headroom_home().ok_or(io::ErrorKind::NotFound)?.join("wrap");
            secret::make_private(&folder)?;
            let path = folder.join(format!("{agent}-{}.{extension}", planner.shared.port()));
            file::replace(&path, text).map(|()| path)
        };
        write(self).map_err(WrapError::File)
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
