//! `headroom hook run`: answers one call of an agent. Whatever happens, the tool's own result stays usable.

mod claude;
mod compress;
mod log;
mod transcript;

use std::{
    io::{self, IsTerminal, Read},
    panic,
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{agent::HookAgent, args::HookRunArgs};
use crate::{
    chain::Chain,
    config::{self, Settings},
    core_dumps, output,
};

/// The name of Headroom's MCP server, and the beginning of the names of its tools.
const NAME: &str = "headroom";
/// A larger call passes unread.
const MAX_CALL_BYTES: u64 = 64 << 20;
/// The agent waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers the call on standard input. Nothing is written if nothing changes.
pub(crate) fn run(args: &HookRunArgs, file: Option<&Path>) {
    if io::stdin().is_terminal() {
        output::note(
            &"headroom: an agent calls this; give it a recorded call, as in `headroom hook run claude < call.json`",
        );
        return;
    }
    core_dumps::forbid();
    // The message of a panic may contain anything.
    panic::set_hook(Box::new(|_| {}));
    let (agent, file) = (args.agent, file.map(Path::to_owned));
    let (sender, receiver) = mpsc::channel();
    let worker = thread::Builder::new().name("hook".to_owned()).spawn(move || {
        let _ = sender.send(answer(agent, file.as_deref()));
    });
    let answered = match worker {
        Ok(_) => receiver.recv_timeout(PATIENCE).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => "it took too long".to_owned(),
            mpsc::RecvTimeoutError::Disconnected => "an error in Headroom".to_owned(),
        }),
        Err(error) => Err(error.to_string()),
    };
    match answered.and_then(|answer| answer) {
        Ok(None) => {}
        Ok(Some(text)) => {
            // An agent that no longer listens has its result.
            let _ = output::write(text.as_bytes());
        }
        Err(reason) => log::write(agent.as_str(), &reason),
    }
}

/// Returns the answer, or why there is none although there may have been something to save.
fn answer(agent: HookAgent, file: Option<&Path>) -> Result<Option<String>, String> {
    let mut input = String::new();
    let mut stdin = io::stdin().lock().take(MAX_CALL_BYTES + 1);
    let read = stdin.read_to_string(&mut input).map_err(|error| error.to_string())?;
    if read as u64 > MAX_CALL_BYTES {
        return Err(format!("a call of more than {MAX_CALL_BYTES} bytes"));
    }
    // Most calls end here, before any file is read.
    let HookAgent::Claude = agent;
    let Some(tape) = claude::parse(&input) else { return Ok(None) };
    let Some(call) = claude::Call::from_input(&tape) else { return Ok(None) };
    let config = config::load(Settings::default(), file).map_err(|error| Chain(&error).to_string())?;
    compress::compress(&input, &call, &config)
}

#[cfg(test)]
mod tests;
