//! The binary, a scripted upstream and a client that shows every byte.
#![allow(dead_code, reason = "each test binary uses a part of it")]

mod http;
mod proxy;

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    time::Duration,
};

pub use self::{
    http::{Connection, Message, Upstream, exchange},
    proxy::Proxy,
};

/// Nothing in these tests takes that long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The binary, with nothing of this process's configuration.
pub fn headroom(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// Runs it on this input.
pub fn pipe(command: &mut Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may end before it has read everything.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    })
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
