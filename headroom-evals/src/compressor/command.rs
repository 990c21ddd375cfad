use std::{
    io::Write,
    process::{self, Stdio},
    thread,
};

use super::{Compressor, Failed, Sent, Turn};

/// Another tool: a shell command that reads a request and writes one.
///
/// `{fmt}` in the command becomes `anthropic` or `openai`. The command is started anew for every request.
#[derive(Clone, Debug)]
pub struct Command {
    name: String,
    command: String,
}

impl Command {
    /// Creates a compressor from a command, with its name in reports.
    pub fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        Self { name: name.into(), command: command.into() }
    }
}

impl Compressor for Command {
    fn name(&self) -> &str {
        &self.name
    }

    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed> {
        let command = self.command.replace("{fmt}", turn.format());
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let failed = |what: &dyn std::fmt::Display| Failed(format!("{command}: {what}"));
        let mut child = process::Command::new(shell)
            .args([flag, &command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let stdin = child.stdin.take();
        // Output is read at the same time; otherwise both sides could block.
        let output = thread::scope(|scope| {
            scope.spawn(|| {
                // A command that stops reading reports its own error.
                stdin.and_then(|mut stdin| stdin.write_all(turn.body).ok())
            });
            child.wait_with_output()
        });
        let output = output.map_err(|error| failed(&error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().last().unwrap_or_default();
            return Err(failed(&format!("{}: {last}", output.status)));
        }
        if serde_json::from_slice::<serde::de::IgnoredAny>(&output.stdout).is_err() {
            return Err(failed(&"wrote no JSON on standard output"));
        }
        Ok(Sent { body: output.stdout, originals: Vec::new() })
    }

    fn is_peer(&self) -> bool {
        true
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use headroom_core::Api;

    use super::*;

    fn run(command: &str, body: &str) -> Result<String, Failed> {
        let turn = Turn { api: Api::OpenAiChat, conversation: "", body: body.as_bytes(), answer: None };
        let sent = Command::new("peer", command).compress(&turn)?;
        Ok(String::from_utf8(sent.body).unwrap())
    }

    #[test]
    fn a_command_maps_a_request_to_a_request() {
        assert_eq!(run("cat", "{\"a\":1}").unwrap(), "{\"a\":1}");
        assert_eq!(run("cat > /dev/null; printf '[\"{fmt}\"]'", "{}").unwrap(), "[\"openai\"]");
        let long = format!("\"{}\"", "x".repeat(1 << 20));
        assert_eq!(run("cat", &long).unwrap(), long);
    }

    #[test]
    fn what_went_wrong_is_said() {
        let error = run("echo no such model >&2; exit 3", "{}").unwrap_err().to_string();
        assert!(error.contains("no such model") && error.contains('3'), "{error}");
        assert!(run("echo hello", "{}").unwrap_err().to_string().contains("no JSON"));
    }
}
