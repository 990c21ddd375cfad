//! Codex: takes no variable for its built-in provider, but `-c key=value`.

use std::{ffi::OsString, fs, path::Path};

use serde_json::Value;

use super::{Planner, folder, value};
use crate::wrap::WrapError;

/// Where it goes when signed in with ChatGPT.
const CHATGPT: &str = "https://chatgpt.com/backend-api/codex";

pub(super) fn plan(planner: &mut Planner<'_, '_>) -> Result<(), WrapError> {
    let home = folder("CODEX_HOME", ".codex");
    let config = home.as_deref().and_then(config).unwrap_or_default();
    let text = |value: Option<&toml::Value>| value.and_then(toml::Value::as_str).map(str::to_owned);
    let profile = text(config.get("profile"));
    let profile = profile.and_then(|name| config.get("profiles")?.get(&name));
    let provider = text(profile.and_then(|profile| profile.get("model_provider")))
        .or_else(|| text(config.get("model_provider")))
        .unwrap_or_else(|| "openai".to_owned());
    if provider == "openai" {
        let set = text(config.get("openai_base_url"));
        let set = set.or_else(|| home.as_deref().is_some_and(is_chatgpt).then(|| CHATGPT.to_owned()));
        let url = planner.url("openai_base_url", set.as_deref(), "/v1")?;
        set_key(planner, "openai_base_url", &url);
        return Ok(());
    }
    let base = text(config.get("model_providers").and_then(|all| all.get(&provider)?.get("base_url")));
    match base {
        // Its keys are split at dots.
        Some(base) if !provider.contains('.') => {
            let key = format!("model_providers.{provider}.base_url");
            let url = planner.url(&key, Some(&base), "/v1")?;
            set_key(planner, &key, &url);
        }
        _ => planner.plan.notes.push(format!(
            "Codex uses the provider {provider}, whose address cannot be set from outside: it goes past the proxy"
        )),
    }
    Ok(())
}

fn set_key(planner: &mut Planner<'_, '_>, key: &str, url: &str) {
    planner.plan.arguments.extend(["-c".into(), OsString::from(format!("{key}=\"{url}\""))]);
}

fn config(home: &Path) -> Option<toml::Table> {
    toml::from_str(&fs::read_to_string(home.join("config.toml")).ok()?).ok()
}

/// Whether it is signed in with an account and not with a key. Only which of the two is read.
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
