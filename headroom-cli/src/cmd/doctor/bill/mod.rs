//! `headroom doctor --bill`: advice for a smaller bill, from the user's own records.
//!
//! The records are the logs of Claude Code and Codex, which `headroom simulate` reads too, and the ledger of the proxy.
//! Nothing is sent anywhere, and nothing is said that these records do not show.

mod advice;
mod clients;
mod logs;
mod show;
mod turns;

use std::{
    env, io,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use self::{advice::Advice, logs::LogEvidence, turns::TurnEvidence};
use super::{DoctorArgs, DoctorError};
use crate::{config, dirs::user_home, ledger, output};

const DAY: u64 = 24 * 60 * 60;

/// What the user's records show.
#[derive(Debug, Serialize)]
struct Evidence {
    days: u32,
    logs: LogEvidence,
    turns: TurnEvidence,
}

/// Reads the records of these days, and prints what would make the bill smaller.
pub(super) fn run(args: &DoctorArgs) -> Result<(), DoctorError> {
    let days = args.days.get();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let since = now.saturating_sub(u64::from(days) * DAY);
    let paths = if args.paths.is_empty() { default_paths() } else { args.paths.clone() };
    // Files that were named are read however old they are.
    let newer_than = if args.paths.is_empty() { UNIX_EPOCH + Duration::from_secs(since) } else { UNIX_EPOCH };
    let logs =
        LogEvidence::read(&paths, newer_than).map_err(|(path, source)| DoctorError::Read { path, source })?;
    let first = now.saturating_sub(u64::from(days - 1) * DAY);
    let mut turns = TurnEvidence::default();
    if let Some(home) = config::home() {
        let read = ledger::read(&home, &ledger::day(first), |_, entry| turns.add(&entry));
        match read {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DoctorError::Read { path: home, source: error });
            }
            _ => turns.finish(),
        }
    }
    let evidence = Evidence { days, logs, turns };
    let advice = Advice::from_evidence(&evidence);
    let text = if args.json { show::json(&evidence, &advice) } else { show::text(&evidence, &advice) };
    output::write(text.as_bytes()).map_err(DoctorError::Write)
}

/// Returns the folders in which Claude Code and Codex keep their logs, if they are there.
fn default_paths() -> Vec<PathBuf> {
    let own = |variable: &str, folder: &str| {
        let set = env::var_os(variable).filter(|set| !set.is_empty()).map(PathBuf::from);
        set.or_else(|| Some(user_home()?.join(folder)))
    };
    let folders = [
        own("CLAUDE_CONFIG_DIR", ".claude").map(|folder| folder.join("projects")),
        own("CODEX_HOME", ".codex").map(|folder| folder.join("sessions")),
    ];
    folders.into_iter().flatten().filter(|folder| folder.is_dir()).collect()
}
