//! A pseudo-terminal, which the standard library has not.

use std::process::{Command, Output, Stdio};

/// Runs what follows on a terminal, with a key for it once it says that it is ready, and gives all that is shown.
const TERMINAL: &str = r"
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
text = b''
sent = False
while True:
    try: part = os.read(fd, 4096)
    except OSError: break
    if not part: break
    text += part
    if b'ready' in text and not sent:
        sent = True
        os.write(fd, b'\x03')
sys.stdout.buffer.write(text)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Runs a command of `headroom` on a terminal of its own. `None` where there is no Python to make one.
pub(crate) fn on_terminal(command: &Command) -> Option<Output> {
    let mut terminal = Command::new("python3");
    terminal.args(["-c", TERMINAL]).arg(command.get_program()).args(command.get_args());
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    terminal.envs(variables.filter(|(name, _)| *name != "PATH"));
    let path = command.get_envs().find_map(|(name, value)| value.filter(|_| name == "PATH"));
    let own = std::env::var("PATH").unwrap_or_default();
    terminal.env("PATH", path.map_or(own.clone(), |path| format!("{}:{own}", path.to_string_lossy())));
    if let Some(folder) = command.get_current_dir() {
        terminal.current_dir(folder);
    }
    terminal.stdin(Stdio::null()).output().ok()
}
