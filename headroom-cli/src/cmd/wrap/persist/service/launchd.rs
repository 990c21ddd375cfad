//! A LaunchAgent of macOS.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    PATIENCE, ServiceError, ServiceManager,
    command::{ProxyCommand, call, succeeds},
    xml::escaped,
};
use crate::dirs::{headroom_home, user_home};

const LABEL: &str = "headroom-proxy";
const PROGRAM: &str = "launchctl";

pub(super) struct Launchd {
    /// The session of the user: `gui/501`.
    domain: String,
}

impl Launchd {
    pub(super) fn new() -> Self {
        Self { domain: format!("gui/{}", user_id()) }
    }

    /// The service within the session.
    fn target(&self) -> String {
        format!("{}/{LABEL}", self.domain)
    }
}

#[cfg(unix)]
fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
const fn user_id() -> u32 {
    0
}

/// launchd keeps no log of its own.
fn log_file() -> Option<PathBuf> {
    std::path::absolute(headroom_home()?.join("proxy.log")).ok()
}

impl ServiceManager for Launchd {
    fn title(&self) -> &'static str {
        "launchd"
    }

    fn service(&self) -> &'static str {
        LABEL
    }

    fn file(&self) -> Option<PathBuf> {
        user_home().map(|home| home.join(format!("Library/LaunchAgents/{LABEL}.plist")))
    }

    fn definition(&self, command: &ProxyCommand) -> Result<String, ServiceError> {
        definition(command, log_file().as_deref())
    }

    fn is_available(&self) -> bool {
        succeeds(PROGRAM, &["print", &self.domain])
    }

    fn is_active(&self) -> bool {
        succeeds(PROGRAM, &["print", &self.target()])
    }

    /// The folder of the file is read at every login.
    fn enable(&self, _: &Path) -> Result<(), ServiceError> {
        Ok(())
    }

    fn restart(&self, file: &Path) -> Result<(), ServiceError> {
        // launchd keeps the definition that it has loaded, so the service is unloaded and loaded anew.
        let _ = succeeds(PROGRAM, &["bootout", &self.target()]);
        let start = Instant::now();
        loop {
            match call(PROGRAM, &["bootstrap", &self.domain, &file.to_string_lossy()]) {
                // It refuses until the old process has ended.
                Err(_) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(100)),
                result => return result,
            }
        }
    }

    fn disable(&self) -> Result<(), ServiceError> {
        match self.is_active() {
            true => call(PROGRAM, &["bootout", &self.target()]),
            false => Ok(()),
        }
    }

    fn log(&self) -> String {
        log_file().map_or_else(|| "`headroom proxy`".to_owned(), |file| file.display().to_string())
    }
}

fn definition(command: &ProxyCommand, log: Option<&Path>) -> Result<String, ServiceError> {
    let mut words = String::new();
    for word in command.words() {
        words.push_str(&format!("\t\t<string>{}</string>\n", escaped("the path of this program", &word)?));
    }
    let mut variables = String::new();
    for (name, value) in &command.variables {
        variables.push_str(&format!(
            "\t\t<key>{}</key>\n\t\t<string>{}</string>\n",
            escaped(name, name)?,
            escaped(name, value)?
        ));
    }
    let log = match log.map(Path::to_string_lossy) {
        Some(log) => {
            format!(
                "\t<key>StandardErrorPath</key>\n\t<string>{}</string>\n",
                escaped("HEADROOM_HOME", &log)?
            )
        }
        None => String::new(),
    };
    // As with `Restart=on-failure`, a proxy that was asked to end stays down. `Interactive` keeps it from being throttled.
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         \t<key>Label</key>\n\t<string>{LABEL}</string>\n\
         \t<key>ProgramArguments</key>\n\t<array>\n{words}\t</array>\n\
         \t<key>EnvironmentVariables</key>\n\t<dict>\n{variables}\t</dict>\n\
         \t<key>RunAtLoad</key>\n\t<true/>\n\
         \t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n\
         \t<key>ProcessType</key>\n\t<string>Interactive</string>\n\
         {log}</dict>\n</plist>\n"
    ))
}
