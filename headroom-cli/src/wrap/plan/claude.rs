//! Claude Code: its settings files go before the environment, and `--settings` before both.

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Planner, folder, value};
use crate::{jsonc, wrap::WrapError};

const VARIABLE: &str = "ANTHROPIC_BASE_URL";
/// With these it speaks to a cloud in place of the Anthropic API.
const CLOUDS: [&str; 3] = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];

pub(super) fn plan(planner: &mut Planner<'_, '_>) -> Result<(), WrapError> {
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
    for cloud in CLOUDS {
        let on = set(cloud).map(str::to_owned).or_else(|| value(cloud));
        if on.is_some_and(|on| !["0", "false", "no", "off"].contains(&on.to_lowercase().as_str())) {
            planner
                .plan
                .notes
                .push(format!("{cloud} is set: Claude Code talks to that cloud, past the proxy"));
        }
    }
    Ok(())
}

/// The settings files, those that go before others first.
fn files() -> Vec<PathBuf> {
    let project = env::current_dir().map(|folder| folder.join(".claude"));
    let project = project
        .iter()
        .flat_map(|folder| ["settings.local.json", "settings.json"].map(|name| folder.join(name)));
    project.chain(folder("CLAUDE_CONFIG_DIR", ".claude").map(|folder| folder.join("settings.json"))).collect()
}
