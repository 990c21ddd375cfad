//! OpenCode, and Kilo Code, which is made of it: take a configuration in a variable, which overrides their files.

use std::{env, fs, path::PathBuf};

use serde_json::{Map, Value, json};

use super::Planner;
use crate::{
    cmd::wrap::WrapError,
    dirs::{named, value},
    jsonc,
};

/// What differs between the programs.
struct Names {
    /// The variable with a configuration.
    content: &'static str,
    /// The variable with the path of one.
    file: &'static str,
    /// The folder of the user's files.
    folder: &'static str,
    /// Configuration files, in ascending precedence.
    files: &'static [&'static str],
}

const OPENCODE: Names = Names {
    content: "OPENCODE_CONFIG_CONTENT",
    file: "OPENCODE_CONFIG",
    folder: "opencode",
    files: &["opencode.json", "opencode.jsonc"],
};
const KILO: Names = Names {
    content: "KILO_CONFIG_CONTENT",
    file: "KILO_CONFIG",
    folder: "kilo",
    files: &["opencode.json", "opencode.jsonc", "kilo.json", "kilo.jsonc"],
};
/// Its built-in providers, and the paths of their base URLs.
pub(in crate::cmd::wrap) const KNOWN: [(&str, &str); 3] =
    [("anthropic", "/v1"), ("openai", "/v1"), ("google", "/v1beta")];

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    plan_of(planner, &OPENCODE)
}

pub(in crate::cmd::wrap) fn plan_kilo(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    plan_of(planner, &KILO)
}

fn plan_of(planner: &mut Planner<'_, '_>, names: &Names) -> Result<bool, WrapError> {
    let mut inline = match value(names.content) {
        Some(text) => match jsonc::parse(&text) {
            Some(Value::Object(config)) => config,
            _ => return Err(WrapError::Inline { variable: names.content }),
        },
        None => Map::new(),
    };
    let mut bases: Vec<(String, Option<String>)> = KNOWN.map(|(name, _)| (name.to_owned(), None)).to_vec();
    let configs = files(names).into_iter().filter_map(|file| jsonc::parse(&fs::read_to_string(file).ok()?));
    for config in configs.chain([Value::Object(inline.clone())]) {
        let Some(providers) = config.get("provider").and_then(Value::as_object) else { continue };
        for (name, provider) in providers {
            let Some(base) = provider.pointer("/options/baseURL").and_then(Value::as_str) else { continue };
            let base = Some(expand(base));
            match bases.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = base,
                None => bases.push((name.clone(), base)),
            }
        }
    }
    for (name, base) in bases {
        let path = KNOWN.iter().find(|(known, _)| *known == name).map_or("/v1", |(_, path)| path);
        let url = planner.url(&format!("provider.{name}.options.baseURL"), base.as_deref(), path)?;
        set(&mut inline, &name, url);
    }
    planner.plan.set(names.content, Value::Object(inline).to_string());
    Ok(true)
}

/// Sets `provider.NAME.options.baseURL` and preserves everything else.
fn set(config: &mut Map<String, Value>, name: &str, url: String) {
    let mut place = config;
    for key in ["provider", name, "options"] {
        let next = place.entry(key).or_insert_with(|| json!({}));
        if !next.is_object() {
            *next = json!({});
        }
        let Some(next) = next.as_object_mut() else { return };
        place = next;
    }
    place.insert("baseURL".to_owned(), Value::String(url));
}

/// Expands `{env:NAME}` as OpenCode does.
pub(in crate::cmd::wrap) fn expand(text: &str) -> String {
    let mut parts = text.split("{env:");
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        expanded.push_str(&value(name).unwrap_or_default());
        expanded.push_str(rest);
    }
    expanded
}

/// The folder of the user's files of OpenCode.
pub(in crate::cmd::wrap) fn home() -> Option<PathBuf> {
    folder(&OPENCODE)
}

fn folder(names: &Names) -> Option<PathBuf> {
    Some(named("XDG_CONFIG_HOME", ".config")?.join(names.folder))
}

/// Its files, in ascending precedence: the user's, the one named by a variable, the project's from the outside in.
fn files(names: &Names) -> Vec<PathBuf> {
    let all = || ["config.json"].iter().chain(names.files);
    let user = folder(names);
    let mut files: Vec<PathBuf> =
        user.iter().flat_map(|folder| all().map(|name| folder.join(name))).collect();
    files.extend(value(names.file).map(PathBuf::from));
    let mut project = Vec::new();
    for folder in env::current_dir().iter().flat_map(|folder| folder.ancestors()) {
        project.extend(names.files.iter().rev().map(|name| folder.join(name)));
        if folder.join(".git").exists() {
            break;
        }
    }
    files.extend(project.into_iter().rev());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_configuration_stays() {
        let Value::Object(mut config) =
            json!({"model": "x", "provider": {"openai": {"options": {"apiKey": "k"}}}})
        else {
            unreachable!()
        };
        set(&mut config, "openai", "http://p".to_owned());
        set(&mut config, "mine", "http://q".to_owned());
        assert_eq!(
            Value::Object(config),
            json!({"model": "x", "provider": {
                "openai": {"options": {"apiKey": "k", "baseURL": "http://p"}},
                "mine": {"options": {"baseURL": "http://q"}}}})
        );
    }
}
