//! A user unit of systemd.

use std::path::{Path, PathBuf};

use super::{
    ServiceError, ServiceManager,
    command::{ProxyCommand, call, succeeds},
};
use crate::dirs::named;

const UNIT: &str = "headroom-proxy.service";
const PROGRAM: &str = "systemctl";

pub(super) struct Systemd;

impl ServiceManager for Systemd {
    fn title(&self) -> &'static str {
        "systemd"
    }

    fn service(&self) -> &'static str {
        UNIT
    }

    fn file(&self) -> Option<PathBuf> {
        named("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("systemd/user").join(UNIT))
    }

    fn definition(&self, command: &ProxyCommand) -> Result<String, ServiceError> {
        let words: Vec<String> = command.words().iter().map(|text| word(text)).collect();
        let environment = command
            .variables
            .iter()
            .map(|(name, value)| format!("Environment=\"{name}={}\"\n", escaped(value)));
        Ok(format!(
            "[Unit]\nDescription=Headroom proxy\n\n[Service]\nExecStart={}\n{}Restart=on-failure\n\n[Install]\nWantedBy=default.target\n",
            words.join(" "),
            environment.collect::<String>()
        ))
    }

    fn is_available(&self) -> bool {
        succeeds(PROGRAM, &["--user", "show-environment"])
    }

    fn is_active(&self) -> bool {
        succeeds(PROGRAM, &["--user", "is-active", "--quiet", UNIT])
    }

    fn enable(&self, _: &Path) -> Result<(), ServiceError> {
        call(PROGRAM, &["--user", "daemon-reload"])?;
        call(PROGRAM, &["--user", "enable", UNIT])
    }

    fn restart(&self, _: &Path) -> Result<(), ServiceError> {
        call(PROGRAM, &["--user", "restart", UNIT])
    }

    fn disable(&self) -> Result<(), ServiceError> {
        call(PROGRAM, &["--user", "disable", "--now", UNIT])
    }

    fn forget(&self) -> Result<(), ServiceError> {
        call(PROGRAM, &["--user", "daemon-reload"])
    }

    fn log(&self) -> String {
        format!("`journalctl --user -u {UNIT}`")
    }
}

/// Quotes text as one word of a systemd command line.
fn word(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('$', "$$"))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_reads_what_was_meant() {
        let command = ProxyCommand {
            program: "/opt/my $tools/100%/headroom".into(),
            config: Some("/etc/h.toml".into()),
            variables: vec![("HEADROOM_UPSTREAM".to_owned(), "http://a/\"b\"%20".to_owned())],
        };
        let text = Systemd.definition(&command).unwrap();
        assert!(
            text.contains(
                "ExecStart=\"/opt/my $$tools/100%%/headroom\" \"--config\" \"/etc/h.toml\" \"proxy\"\n"
            ),
            "{text}"
        );
        assert!(text.contains("Environment=\"HEADROOM_UPSTREAM=http://a/\\\"b\\\"%%20\"\n"));
    }
}
