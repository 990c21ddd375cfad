//! Pi: an extension sets the addresses of providers for one run.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::Planner;
use crate::{
    cmd::wrap::WrapError,
    dirs::{user_home, value},
    jsonc,
};

/// Its built-in providers, and the paths of their base URLs.
const KNOWN: [(&str, &str); 3] = [("anthropic", ""), ("openai", "/v1"), ("google", "/v1beta")];

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    let mut bases: Vec<(String, Option<String>)> = KNOWN.map(|(name, _)| (name.to_owned(), None)).to_vec();
    for (name, base) in own_providers() {
        match bases.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = Some(base),
            None => bases.push((name, Some(base))),
        }
    }
    let mut extension = String::from("export default function (pi) {\n");
    for (name, base) in bases {
        let path = KNOWN.iter().find(|(known, _)| *known == name).map_or("/v1", |(_, path)| path);
        let url = planner.url(&format!("providers.{name}.baseUrl"), base.as_deref(), path)?;
        let (name, url) = (Value::from(name), Value::from(url));
        extension.push_str(&format!("  pi.registerProvider({name}, {{ baseUrl: {url} }});\n"));
    }
    extension.push_str("}\n");
    let file = planner.file("pi", "ts", &extension)?;
    planner.plan.arguments.extend(["-e".into(), file.into_os_string()]);
    Ok(true)
}

/// The providers in the user's file, and their base URLs.
fn own_providers() -> Vec<(String, String)> {
    let folder =
        value("PI_CODING_AGENT_DIR").map(PathBuf::from).or_else(|| Some(user_home()?.join(".pi/agent")));
    let text = folder.and_then(|folder| fs::read_to_string(folder.join("models.json")).ok());
    let config = text.and_then(|text| jsonc::parse(&text)).unwrap_or_default();
    let providers = config.get("providers").and_then(Value::as_object).cloned().unwrap_or_default();
    let base =
        |(name, provider): (String, Value)| Some((name, provider.get("baseUrl")?.as_str()?.to_owned()));
    providers.into_iter().filter_map(base).collect()
}
