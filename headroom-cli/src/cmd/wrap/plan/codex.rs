//! Codex: no variable sets the address of its built-in provider, but `-c key=value` does.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::Planner;
use crate::{
    cmd::wrap::WrapError,
    dirs::{named, value},
};

/// Its built-in provider.
const BUILT_IN: &str = "openai";
/// The address used when signed in with ChatGPT.
const CHATGPT: &str = "https://chatgpt.com/backend-api/codex";

/// The provider in use and its address.
pub(in crate::cmd::wrap) struct Address {
    pub(in crate::cmd::wrap) provider: String,
    /// The address set by its configuration, or by the kind of sign-in.
    pub(in crate::cmd::wrap) set: Option<String>,
}

impl Address {
    pub(in crate::cmd::wrap) fn read() -> Self {
        let home = home();
        let config = home.as_deref().and_then(config).unwrap_or_default();
        let text = |value: Option<&toml::Value>| value.and_then(toml::Value::as_str).map(str::to_owned);
        let profile = text(config.get("profile"));
        let profile = profile.and_then(|name| config.get("profiles")?.get(&name));
        let provider = text(profile.and_then(|profile| profile.get("model_provider")))
            .or_else(|| text(config.get("model_provider")))
            .unwrap_or_else(|| BUILT_IN.to_owned());
        let set = if provider == BUILT_IN {
            let account = || home.as_deref().is_some_and(is_chatgpt).then(|| CHATGPT.to_owned());
            text(config.get("openai_base_url")).or_else(account)
        } else {
            text(config.get("model_providers").and_then(|all| all.get(&provider)?.get("base_url")))
        };
        Self { provider, set }
    }

    /// The key of the address; `None` for another provider that is built in and has no such key.
    pub(in crate::cmd::wrap) fn key(&self) -> Option<Vec<&str>> {
        match self.set {
            _ if self.provider == BUILT_IN => Some(vec!["openai_base_url"]),
            Some(_) => Some(vec!["model_providers", &self.provider, "base_url"]),
            None => None,
        }
    }
}

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    let address = Address::read();
    match address.key() {
        // Codex splits keys at dots.
        Some(key) if !address.provider.contains('.') => {
            let key = key.join(".");
            let url = planner.url(&key, address.set.as_deref(), "/v1")?;
            set_key(planner, &key, &url);
        }
        _ => planner.plan.notes.push(format!(
            "Codex uses the provider {}, whose address cannot be set from outside: it bypasses the proxy",
            address.provider
        )),
    }
    Ok(true)
}

/// The folder of its files.
pub(in crate::cmd::wrap) fn home() -> Option<PathBuf> {
    named("CODEX_HOME", ".codex")
}

fn set_key(planner: &mut Planner<'_, '_>, key: &str, url: &str) {
    planner.plan.arguments.extend(["-c".into(), OsString::from(format!("{key}=\"{url}\""))]);
}

fn config(home: &Path) -> Option<toml::Table> {
    toml::from_str(&fs::read_to_string(home.join("config.toml")).ok()?).ok()
}

/// Whether it is signed in with an account instead of a key. Nothing else is read from the file.
fn is_chatgpt(home: &Path) -> bool {
    if value("CODEX_API_KEY").is_some() {
        return false;
    }
    let read = || serde_json::from_str::<Value>(&fs::read_to_string(home.join("auth.json")).ok()?).ok();
    read().is_some_and(|auth| match auth.get("auth_mode").and_then(Value::as_str) {
        Some(mode) => mode.eq_ignore_ascii_case("chatgpt"),
        None => {
            auth.get("tokens").is_some_and(Value::is_object)
                && !auth.get("OPENAI_API_KEY").is_some_and(Value::is_string)
        }
    })
}
