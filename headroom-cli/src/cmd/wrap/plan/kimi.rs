//! Kimi Code: variables name a model of the user's own, of one of three APIs.

use super::Planner;
use crate::{
    cmd::wrap::{WrapError, agent::ApiVariables},
    dirs::value,
};

const NAMES: &[&str] = &["KIMI_MODEL_BASE_URL"];

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    // The other variables have no effect without this one.
    if value("KIMI_MODEL_NAME").is_none() {
        return Ok(false);
    }
    let kind = value("KIMI_MODEL_PROVIDER_TYPE").unwrap_or_default().to_lowercase();
    let variables = match kind.as_str() {
        "anthropic" => ApiVariables::new(NAMES, ""),
        "openai" | "openai_responses" => ApiVariables::new(NAMES, "/v1"),
        _ => ApiVariables { names: NAMES, path: "/v1", default: Some("https://api.moonshot.ai/v1") },
    };
    planner.variables(&[variables])?;
    Ok(true)
}
