//! Factory Droid: settings for one run have the user's own models with other addresses.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::Planner;
use crate::{
    cmd::wrap::WrapError,
    dirs::{user_home, value},
    jsonc,
};

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    let mut models = own_models();
    if models.is_empty() {
        return Ok(false);
    }
    for (at, model) in models.iter_mut().enumerate() {
        let base = model.get("baseUrl").and_then(Value::as_str).map(str::to_owned);
        let path =
            if model.get("provider").and_then(Value::as_str) == Some("anthropic") { "" } else { "/v1" };
        let url = planner.url(&format!("customModels[{at}].baseUrl"), base.as_deref(), path)?;
        if let Some(model) = model.as_object_mut() {
            model.insert("baseUrl".to_owned(), Value::from(url));
        }
    }
    // The file has the keys of these models. Only its owner can read it, and it is removed after the run.
    let file = planner.file("droid", "json", &json!({"customModels": models}).to_string())?;
    planner.plan.arguments.extend(["--settings".into(), file.into_os_string()]);
    Ok(true)
}

/// The models in the user's settings that have an address.
fn own_models() -> Vec<Value> {
    let home = value("FACTORY_HOME_OVERRIDE").map(PathBuf::from).or_else(user_home);
    let text = home.and_then(|home| fs::read_to_string(home.join(".factory/settings.json")).ok());
    let settings = text.and_then(|text| jsonc::parse(&text)).unwrap_or_default();
    settings.get("customModels").and_then(Value::as_array).cloned().unwrap_or_default()
}
