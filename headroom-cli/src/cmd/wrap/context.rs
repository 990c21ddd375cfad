//! Tools that shrink the output of shell commands before the agent sees it. An installed tool is hooked into the
//! agent's commands for one run, by the agent's own hook; none is downloaded.

use std::{ffi::OsStr, fs};

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::{
    Agent, WrapError,
    agent::find,
    plan::{Plan, claude},
    quoted,
};
use crate::dirs::value;

const VARIABLE: &str = "HEADROOM_CONTEXT_TOOL";
const SETTINGS: &str = "--settings";

/// A supported tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ContextTool {
    /// RTK, https://github.com/rtk-ai/rtk
    Rtk,
    /// lean-ctx, https://leanctx.com
    LeanCtx,
    /// No tool.
    None,
}

impl ContextTool {
    const fn program(self) -> Option<&'static str> {
        match self {
            Self::Rtk => Some("rtk"),
            Self::LeanCtx => Some("lean-ctx"),
            Self::None => None,
        }
    }

    /// The hook for Claude Code that the tool documents.
    const fn hook(self) -> &'static str {
        match self {
            Self::Rtk => "hook claude",
            _ => "hook rewrite",
        }
    }

    /// The requested tool.
    pub(super) fn asked(flag: Option<Self>) -> Result<Self, WrapError> {
        match (flag, value(VARIABLE)) {
            (Some(flag), _) => Ok(flag),
            (None, Some(name)) => Self::from_str(&name, false).map_err(|_| WrapError::ContextTool { name }),
            (None, None) => Ok(Self::None),
        }
    }

    /// Hooks the tool into the agent's shell commands. `own` are the user's arguments for the agent.
    pub(super) fn attach<S: AsRef<OsStr>>(
        self,
        agent: Agent,
        plan: &mut Plan,
        own: &[S],
    ) -> Result<(), WrapError> {
        let Some(program) = self.program() else { return Ok(()) };
        let path = find(program).ok_or(WrapError::NoContextTool { program })?;
        let note = match agent.is_claude() {
            true if has_settings(own) => Some(format!(
                "{program} is not used: Claude Code accepts {SETTINGS} only once, and your arguments have it"
            )),
            true if is_set_up(program) => None,
            true => {
                let command = format!("{} {}", quoted(&path.to_string_lossy()), self.hook());
                add(plan, &command);
                (self == Self::LeanCtx)
                    .then(|| "lean-ctx runs the commands that it rewrites without asking".to_owned())
            }
            false => {
                Some(format!("{program} is not used: only Claude Code accepts its hook for a single run"))
            }
        };
        plan.notes.extend(note);
        Ok(())
    }
}

fn has_settings<S: AsRef<OsStr>>(own: &[S]) -> bool {
    own.iter().any(|argument| {
        let argument = argument.as_ref().to_string_lossy();
        argument == SETTINGS || argument.strip_prefix(SETTINGS).is_some_and(|rest| rest.starts_with('='))
    })
}

/// Whether the user's own settings have the hook. It must not run twice.
fn is_set_up(program: &str) -> bool {
    let names = [format!("{program} hook "), format!("{program}-rewrite")];
    let texts = claude::files().into_iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.into_iter().any(|text| names.iter().any(|name| text.contains(name)))
}

/// Adds the hook to the other settings of this run.
fn add(plan: &mut Plan, command: &str) {
    let hook = json!([{"matcher": "Bash", "hooks": [{"type": "command", "command": command}]}]);
    let mut arguments = plan.arguments.iter_mut().skip_while(|argument| *argument != SETTINGS);
    let given = arguments.nth(1);
    let settings = given.as_ref().and_then(|text| serde_json::from_str(text.to_str()?).ok());
    let mut settings: Map<String, Value> = settings.unwrap_or_default();
    settings.insert("hooks".to_owned(), json!({"PreToolUse": hook}));
    let settings = Value::Object(settings).to_string();
    match given {
        Some(given) => *given = settings.into(),
        None => plan.arguments.extend([SETTINGS.into(), settings.into()]),
    }
}
