//! Claude Code: its settings files override the environment, and `--settings` overrides both.

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use super::Planner;
use crate::{
    cmd::wrap::WrapError,
    dirs::{named, value},
    jsonc,
};

pub(in crate::cmd::wrap) const VARIABLE: &str = "ANTHROPIC_BASE_URL";
/// With these it speaks to a cloud instead of the Anthropic API.
const CLOUDS: [&str; 3] = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    let settings: Vec<Value> =
        files().iter().filter_map(|file| jsonc::parse(&fs::read_to_string(file).ok()?)).collect();
    let set = |name: &str| settings.iter().find_map(|settings| settings.get("env")?.get(name)?.as_str());
    let in_settings = set(VARIABLE);
    let given = in_settings.map(str::to_owned).or_else(|| value(VARIABLE));
    let url = planner.url(VARIABLE, given.as_deref(), "")?;
    if in_settings.is_some() {
        planner
            .plan
            .arguments
            .extend(["--settings".into(), json!({"env": {VARIABLE: url}}).to_string().into()]);
    }
    planner.plan.set(VARIABLE, url);
    planner.plan.notes.extend(clouds(set));
    Ok(true)
}

/// Warns if it does not speak to the Anthropic API at all. `set` looks up a variable in its settings.
pub(in crate::cmd::wrap) fn clouds<'a>(set: impl Fn(&str) -> Option<&'a str>) -> Vec<String> {
    let is_on = |name: &str| {
        let on = set(name).map(str::to_owned).or_else(|| value(name));
        on.is_some_and(|on| !["0", "false", "no", "off"].contains(&on.to_lowercase().as_str()))
    };
    let note = |name| format!("{name} is set: Claude Code uses that cloud and bypasses the proxy");
    CLOUDS.into_iter().filter(|name| is_on(name)).map(note).collect()
}

/// The user's settings file.
pub(in crate::cmd::wrap) fn user_file() -> Option<PathBuf> {
    Some(named("CLAUDE_CONFIG_DIR", ".claude")?.join("settings.json"))
}

/// The settings files, in order of precedence.
pub(in crate::cmd::wrap) fn files() -> Vec<PathBuf> {
    let project = env::current_dir().map(|folder| folder.join(".claude"));
    let project = project
        .iter()
        .flat_map(|folder| ["settings.local.json", "settings.json"].map(|name| folder.join(name)));
    project.chain(user_file()).collect()
}
