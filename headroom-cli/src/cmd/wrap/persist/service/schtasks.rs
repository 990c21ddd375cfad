//! A task of Windows' Task Scheduler.

use std::path::{Path, PathBuf};

use super::{
    ServiceError, ServiceManager,
    command::{ProxyCommand, call, succeeds},
    xml::escaped,
};
use crate::dirs::{headroom_home, value};

const TASK: &str = "headroom-proxy";
const PROGRAM: &str = "schtasks";
/// Hosts a console program without a window.
const HOST: &str = "conhost.exe";

pub(super) struct TaskScheduler;

impl ServiceManager for TaskScheduler {
    fn title(&self) -> &'static str {
        "the Task Scheduler"
    }

    fn service(&self) -> &'static str {
        TASK
    }

    /// What the task is made from; the Task Scheduler keeps a copy.
    fn file(&self) -> Option<PathBuf> {
        std::path::absolute(headroom_home()?.join(TASK).with_extension("xml")).ok()
    }

    fn definition(&self, command: &ProxyCommand) -> Result<String, ServiceError> {
        let user = value("USERNAME").map(|name| match value("USERDOMAIN") {
            Some(domain) => format!("{domain}\\{name}"),
            None => name,
        });
        definition(command, user.as_deref())
    }

    fn is_available(&self) -> bool {
        succeeds(PROGRAM, &["/?"])
    }

    fn is_active(&self) -> bool {
        succeeds(PROGRAM, &["/Query", "/TN", TASK])
    }

    fn is_taken(&self) -> bool {
        self.is_active()
    }

    fn enable(&self, file: &Path) -> Result<(), ServiceError> {
        call(PROGRAM, &["/Create", "/F", "/TN", TASK, "/XML", &file.to_string_lossy()])
    }

    fn restart(&self, _: &Path) -> Result<(), ServiceError> {
        let _ = succeeds(PROGRAM, &["/End", "/TN", TASK]);
        call(PROGRAM, &["/Run", "/TN", TASK])
    }

    fn disable(&self) -> Result<(), ServiceError> {
        if !self.is_active() {
            return Ok(());
        }
        let _ = succeeds(PROGRAM, &["/End", "/TN", TASK]);
        call(PROGRAM, &["/Delete", "/F", "/TN", TASK])
    }

    fn log(&self) -> String {
        "`headroom proxy`, which says why it cannot start".to_owned()
    }

    fn note(&self, command: &ProxyCommand) -> Option<String> {
        let names: Vec<&str> = command.variables.iter().filter_map(|(name, _)| only_variable(name)).collect();
        (!names.is_empty()).then(|| {
            format!(
                "a task has the variables of your account only, so set {} there (`setx`) if you have not",
                names.join(" and ")
            )
        })
    }
}

/// The variable if the proxy reads it and there is no flag for it.
fn only_variable(name: &str) -> Option<&str> {
    ["HEADROOM_HOME", "HEADROOM_PRICES"].contains(&name).then_some(name)
}

/// The flag of a setting's variable.
fn flag(name: &str, value: &str) -> Option<String> {
    let is_setting = !["HEADROOM_CONFIG", "HEADROOM_CONTEXT_TOOL", "HEADROOM_SHARED"].contains(&name)
        && only_variable(name).is_none();
    let name = name.strip_prefix("HEADROOM_").filter(|_| is_setting)?;
    Some(format!("--{}={value}", name.to_lowercase().replace('_', "-")))
}

/// The program and its arguments. A task has no variables, so settings are flags here.
fn words(command: &ProxyCommand) -> Vec<String> {
    let named = command.variables.iter().find(|(name, _)| name == "HEADROOM_CONFIG");
    let config = command.config.clone().or_else(|| named.map(|(_, file)| PathBuf::from(file)));
    let with_config = ProxyCommand { program: command.program.clone(), config, variables: Vec::new() };
    let flags = command.variables.iter().filter_map(|(name, value)| flag(name, value));
    with_config.words().into_iter().chain(flags).collect()
}

/// Quotes text as one argument, by the rules that Windows programs read their command line by.
fn quoted(text: &str) -> String {
    if !text.is_empty() && !text.contains([' ', '\t', '"']) {
        return text.to_owned();
    }
    let mut word = String::from("\"");
    let mut backslashes = 0;
    for c in text.chars() {
        // Backslashes count twice before a quote, and once elsewhere.
        if c == '"' {
            word.push_str(&"\\".repeat(backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        word.push(c);
    }
    word + &"\\".repeat(backslashes) + "\""
}

fn definition(command: &ProxyCommand, user: Option<&str>) -> Result<String, ServiceError> {
    let words: Vec<String> = words(command).iter().map(|word| quoted(word)).collect();
    let arguments = escaped("the command of the proxy", &format!("--headless {}", words.join(" ")))?;
    // A trigger for one user needs no rights of an administrator.
    let user = match user {
        Some(user) => format!("<UserId>{}</UserId>", escaped("USERNAME", user)?),
        None => String::new(),
    };
    // Without limits for batteries and time, which a task has by default.
    Ok(format!(
        "<?xml version=\"1.0\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n\
         <RegistrationInfo><Description>Headroom proxy</Description></RegistrationInfo>\n\
         <Triggers><LogonTrigger><Enabled>true</Enabled>{user}</LogonTrigger></Triggers>\n\
         <Principals><Principal id=\"Author\">{user}<LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal></Principals>\n\
         <Settings>\n\
         <MultipleInstancesPolicy>StopExisting</MultipleInstancesPolicy>\n\
         <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n\
         <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n\
         <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n\
         <RestartOnFailure><Interval>PT1M</Interval><Count>3</Count></RestartOnFailure>\n\
         </Settings>\n\
         <Actions Context=\"Author\"><Exec><Command>{HOST}</Command><Arguments>{arguments}</Arguments></Exec></Actions>\n\
         </Task>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_back_by_windows_programs() {
        for (text, word) in [
            ("proxy", "proxy"),
            ("", r#""""#),
            (r"C:\Users\me\headroom.exe", r"C:\Users\me\headroom.exe"),
            (r"C:\My Tools\", r#""C:\My Tools\\""#),
            (r#"a "b" \"#, r#""a \"b\" \\""#),
            (r#"\\" x"#, r#""\\\\\" x""#),
        ] {
            assert_eq!(quoted(text), word, "{text}");
        }
    }

    #[test]
    fn settings_are_flags_since_a_task_has_no_variables() {
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut command = ProxyCommand {
            program: "headroom.exe".into(),
            config: None,
            variables: vec![
                variable("HEADROOM_CONFIG", "own.toml"),
                variable("HEADROOM_HOME", "D:\\h"),
                variable("HEADROOM_BEDROCK_SIGN", "true"),
                variable("HEADROOM_CONTEXT_TOOL", "rtk"),
            ],
        };
        assert_eq!(words(&command), ["headroom.exe", "--config", "own.toml", "proxy", "--bedrock-sign=true"]);
        assert!(TaskScheduler.note(&command).unwrap().contains("set HEADROOM_HOME there"));
        command.config = Some("given.toml".into());
        assert_eq!(words(&command)[2], "given.toml");
        command.variables.clear();
        assert_eq!(TaskScheduler.note(&command), None);
    }
}
