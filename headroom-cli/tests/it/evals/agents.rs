//! A scripted agent on tasks with a check, behind the proxy.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use headroom_evals::conformance::output::{Output as ToolOutput, Planted};
use serde_json::Value;

use super::{model, report, rows};
use crate::support::{Message, PATIENCE, Upstream, headroom, stderr};

/// An agent of one turn: it reads the orders as a tool would, asks the model, and writes the answer to a file.
const AGENT: &str = r#"
import json, os, urllib.request
prompt, orders = os.environ["TASK_PROMPT"], open("orders.json").read()
call = {"id": "t1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
tool = {"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}
body = {"model": "gpt-4o", "tools": [tool], "messages": [
    {"role": "user", "content": prompt},
    {"role": "assistant", "content": None, "tool_calls": [call]},
    {"role": "tool", "tool_call_id": "t1", "content": orders}]}
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(),
    {"content-type": "application/json", "authorization": "Bearer key"})
answer = json.load(urllib.request.urlopen(request, timeout=20))["choices"][0]["message"]["content"]
open("answer.txt", "w").write(answer)
"#;

/// Makes a folder with the agent and a list of this many tasks.
fn tasks(folder: &Path, count: usize) {
    fs::write(folder.join("agent.py"), AGENT).unwrap();
    let mut list = String::new();
    for n in 0..count {
        let (word, at) = (format!("kestrel{}", 1_001 + 2 * n), 40 + n * 7);
        let planted = Planted { at, word: &word, stands_out: false };
        let task = folder.join(format!("task{n}"));
        fs::create_dir(&task).unwrap();
        fs::write(task.join("orders.json"), ToolOutput::Records.text(200, n as u64, Some(planted))).unwrap();
        list.push_str(&format!(
            "[[task]]\nname = 'task{n}'\nfolder = 'task{n}'\nprompt = 'What is the id of {word} ?'\n\
             check = 'grep -q \"The id is {}\" answer.txt'\n",
            1_000 + at
        ));
    }
    fs::write(folder.join("tasks.toml"), list).unwrap();
}

fn agents(folder: &Path, agent: &str) -> Command {
    let mut command = headroom(&["evals", "agents", "--agent", agent]);
    command.arg("--tasks").arg(folder.join("tasks.toml")).arg("--out").arg(folder.join("out"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HEADROOM_STORE", "memory");
    command
}

fn python(folder: &Path) -> String {
    format!("python3 '{}'", folder.join("agent.py").display())
}

fn run(folder: &Path, agent: &str, upstream: &Upstream) -> Output {
    agents(folder, agent).args(["--upstream", &format!("http://{}", upstream.address)]).output().unwrap()
}

fn has_tool(request: &Message) -> bool {
    String::from_utf8_lossy(&request.body).contains("headroom_retrieve")
}

fn cells<'r>(report: &'r Value, task: &str, headroom: &str) -> &'r Value {
    rows(report, "agents", "task", task).into_iter().find(|row| row["headroom"] == headroom).unwrap()
}

#[test]
fn tasks_are_solved_billed_and_compared_once() {
    let folder = tempfile::tempdir().unwrap();
    tasks(folder.path(), 2);
    let (upstream, _) = model();
    let agent = python(folder.path());
    let output = run(folder.path(), &agent, &upstream);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let arms: Vec<bool> = (0..4).map(|_| has_tool(&upstream.request())).collect();
    assert_eq!(arms, [false, true, true, false], "the order alternates");
    let found = report(&folder.path().join("out"));
    for task in ["task0", "task1"] {
        let (without, with) = (cells(&found, task, "without"), cells(&found, task, "with"));
        for run in [without, with] {
            assert_eq!(
                (&run["solved"], &run["turns"], &run["ended"]),
                (&"yes".into(), &1.into(), &"exit status 0".into())
            );
        }
        let paid = |run: &Value| run["paid"].as_f64().unwrap();
        assert!(0.0 < paid(with) && paid(with) < 0.7 * paid(without), "{found:#}");
        assert!(!folder.path().join(task).join("answer.txt").exists(), "agents work in copies");
    }
    let sums = &found["sections"][0]["tables"][0]["rows"][0];
    assert_eq!(sums["solved_with"], serde_json::json!({"some": 2, "all": 2}));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in [
        "No difference was found in how many tasks were solved. Of 2 tasks",
        "Billed: $",
        "too few pairs for an interval",
    ] {
        assert!(said.contains(part), "{said}");
    }

    let output = run(folder.path(), &agent, &upstream);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(upstream.is_untouched(), "what was run is not run again");
    assert_eq!(report(&folder.path().join("out")), found);
}

#[test]
fn an_address_that_the_agent_has_stays_behind_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    tasks(folder.path(), 1);
    let (upstream, _) = model();
    let mut command = agents(folder.path(), &python(folder.path()));
    let output = command.env("OPENAI_BASE_URL", format!("http://{}/v1", upstream.address)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(upstream.request().target(), "/v1/chat/completions");
    assert_eq!(cells(&report(&folder.path().join("out")), "task0", "with")["solved"], "yes");
}

/// Whether a process with the id in this file runs.
fn is_running(file: &Path) -> bool {
    let id = fs::read_to_string(file).unwrap();
    Command::new("kill").args(["-0", id.trim()]).stderr(Stdio::null()).status().unwrap().success()
}

fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_agent_that_takes_too_long_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    tasks(folder.path(), 1);
    let (upstream, _) = model();
    let id = folder.path().join("id");
    let agent = format!("{} && sleep 300 & echo $! >'{}'; wait", python(folder.path()), id.display());
    let list = fs::read_to_string(folder.path().join("tasks.toml")).unwrap();
    fs::write(folder.path().join("tasks.toml"), list + "timeout = 3\n").unwrap();
    let output = run(folder.path(), &agent, &upstream);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = report(&folder.path().join("out"));
    let with = cells(&found, "task0", "with");
    // The file with the answer is there, and that counts for nothing.
    assert_eq!(
        (&with["solved"], &with["ended"], &with["turns"]),
        (&"no".into(), &"out of time".into(), &1.into())
    );
    wait_until(|| !is_running(&id));
}

#[test]
fn a_stop_ends_the_agent_keeps_the_finished_pairs_and_continues_later() {
    let folder = tempfile::tempdir().unwrap();
    tasks(folder.path(), 2);
    let (upstream, _) = model();
    let id = folder.path().join("id");
    // The second task stalls as long as there is no file `go`.
    let go = folder.path().join("go");
    let agent = format!(
        "{}; case $PWD in *task1) [ -e '{}' ] || {{ sleep 300 & echo $! >'{id}.new'; mv '{id}.new' '{id}'; wait; }};; esac",
        python(folder.path()),
        go.display(),
        id = id.display()
    );
    let mut command = agents(folder.path(), &agent);
    command.args(["--upstream", &format!("http://{}", upstream.address)]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| id.exists());
    assert!(is_running(&id));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("stopped after 1 of 2 tasks"), "{}", stderr(&output));
    wait_until(|| !is_running(&id));
    let out = folder.path().join("out");
    assert_eq!(rows(&report(&out), "agents", "solved", "yes").len(), 2);
    let text = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(text.contains("The run was stopped before 1 tasks."), "{text}");

    fs::write(&go, "").unwrap();
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    assert_eq!(rows(&report(&out), "agents", "solved", "yes").len(), 4);
}

#[test]
fn what_cannot_be_measured_is_told_before_it_costs_anything() {
    let folder = tempfile::tempdir().unwrap();
    tasks(folder.path(), 1);
    let (upstream, _) = model();
    let list = fs::read_to_string(folder.path().join("tasks.toml")).unwrap();
    let check = list.lines().find(|line| line.starts_with("check")).unwrap();
    for (agent, check_now, status, said) in [
        ("true", "check = 'true'", 2, "succeeds before the agent has run"),
        ("true", "check = 'no-such-program'", 1, "cannot be run (exit status 127)"),
        ("true", "folder = 'task0'", 2, "duplicate key"),
        ("exit 3", check, 1, "answered no request of the agent (0 refused, exit status 3)"),
    ] {
        fs::write(folder.path().join("tasks.toml"), list.replace(check, check_now)).unwrap();
        let output = run(folder.path(), agent, &upstream);
        assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(upstream.is_untouched());
    }
    let log = fs::read_to_string(folder.path().join("out/logs/task0.without.log"));
    assert!(log.is_ok_and(|text| text.is_empty()));
    let output = agents(folder.path(), "true").arg("--tasks").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
