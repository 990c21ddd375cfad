//! OpenHands: one variable for all APIs, which expect different paths.

use super::Planner;
use crate::{
    cmd::wrap::{WrapError, agent::ApiVariables},
    dirs::value,
};

pub(in crate::cmd::wrap) fn plan(planner: &mut Planner<'_, '_>) -> Result<bool, WrapError> {
    let anthropic = value("LLM_MODEL").is_some_and(|model| model.contains("claude"));
    planner.variables(&[ApiVariables::new(&["LLM_BASE_URL"], if anthropic { "" } else { "/v1" })])?;
    planner.plan.arguments.push("--override-with-envs".into());
    Ok(true)
}
