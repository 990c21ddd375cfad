//! What `--persist` does, in words and as JSON.

use serde_json::{Value, json};

use super::{
    PersistRequest,
    change::name,
    target::Target,
    text::{self, unquoted},
};
use crate::proxy::Listener;

pub(super) fn lines(keys: &[(Vec<String>, String)]) -> Vec<String> {
    keys.iter().map(|(path, value)| format!("{} = {value}", text::name(path))).collect()
}

fn as_json(target: &Target) -> Value {
    let keys = target.keys.iter().map(|(path, value)| json!({"key": path, "value": unquoted(value)}));
    json!({"file": target.file, "keys": keys.collect::<Vec<_>>(), "notes": target.notes})
}

/// Describes what would be done.
pub(super) fn shown(asked: &PersistRequest<'_>, target: &Target) -> String {
    if asked.json {
        return format!("{}\n", as_json(target));
    }
    let mut text = format!("In {}:\n", target.file.display());
    for line in lines(&target.keys) {
        text.push_str(&format!("  {line}\n"));
    }
    text + &notes(target)
}

/// Describes what was done, and what is left to do.
pub(super) fn report(
    asked: &PersistRequest<'_>,
    target: &Target,
    is_new: bool,
    listener: &Listener,
    served: Option<&str>,
) -> String {
    let agent = name(asked.agent);
    let runs = listener.is_ours();
    if asked.json {
        let mut report = as_json(target);
        if let Some(report) = report.as_object_mut() {
            report.insert("agent".to_owned(), json!(agent));
            report.insert("changed".to_owned(), json!(is_new));
            let proxy = json!({"url": target.proxy(), "runs": runs, "service": served.is_some()});
            report.insert("proxy".to_owned(), proxy);
        }
        return format!("{report}\n");
    }
    let mut text = format!(
        "{agent} {}: {} in {}; undo it with `headroom unwrap {agent}`\n",
        if is_new { "uses the proxy now" } else { "uses the proxy already" },
        target.proxy(),
        target.file.display()
    );
    text.push_str(&notes(target));
    text.push_str(&match (served, runs) {
        (Some(served), _) => served.to_owned(),
        (None, true) => format!(
            "The proxy runs. {agent} cannot reach its provider without it: `headroom wrap {agent} --persist \
             --service` starts it with your session\n"
        ),
        (None, false) => format!(
            "The proxy does not run, and {agent} cannot reach its provider without it. Start it: `headroom proxy`, or \
             with your session: `headroom wrap {agent} --persist --service`\n"
        ),
    });
    text
}

fn notes(target: &Target) -> String {
    target.notes.iter().map(|note| format!("note: {note}\n")).collect()
}
