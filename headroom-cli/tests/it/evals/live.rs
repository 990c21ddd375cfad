//! A model that answers, refuses, hangs or is not there.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{id, report, rows, suite};
use crate::support::{Message, PATIENCE, Upstream, ok, stderr};

fn live(out: &Path, url: &str, args: &[&str]) -> Command {
    let mut command = suite(out, &["--live", "--model", "own", "--upstream", url, "--set", "rows"]);
    if !args.contains(&"--items") {
        command.args(["--items", "4"]);
    }
    command.args(args);
    command
}

fn run(out: &Path, upstream: &Upstream, args: &[&str]) -> Output {
    live(out, &format!("http://{}", upstream.address), args).output().unwrap()
}

/// An upstream that answers each body with this status and body.
fn server(answer: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Upstream {
    Upstream::start(move |connection| {
        let request = connection.read()?;
        let (status, body) = answer(&request.json());
        let text = ok(&body.to_string());
        connection.write(text.replacen("200 OK", &format!("{status} X"), 1))?;
        Ok(request)
    })
}

/// The id that a body asks for, from the result in it.
fn found(body: &Value) -> String {
    let (question, result) = match body {
        body if body["input"].is_array() => {
            (&body["input"][0]["content"][0]["text"], &body["input"][2]["output"])
        }
        body if body["contents"].is_array() => (
            &body["contents"][0]["parts"][0]["text"],
            &body["contents"][2]["parts"][0]["functionResponse"]["response"]["output"],
        ),
        body if body["messages"][2]["role"] == "tool" => {
            (&body["messages"][0]["content"], &body["messages"][2]["content"])
        }
        body => (&body["messages"][0]["content"], &body["messages"][2]["content"][0]["content"]),
    };
    let question = question.as_str().unwrap();
    let word = question.split_whitespace().find(|word| word.starts_with("kestrel")).unwrap();
    id(result.as_str().unwrap(), word.trim_end_matches('?'))
}

fn chat(text: &str) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "own",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 10, "total_tokens": 910},
    })
}

fn is_with_headroom(body: &Value) -> bool {
    body["tools"].to_string().contains("headroom_retrieve")
}

fn all(report: &Value, table: usize) -> &Value {
    rows(report, "answers", "set", "all")[table]
}

#[test]
fn questions_come_in_pairs_whose_order_alternates() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = server(|body| (200, chat(&found(body))));
    let output = run(folder.path(), &upstream, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let bodies: Vec<Value> = (0..8).map(|_| upstream.request().json()).collect();
    let arms: Vec<bool> = bodies.iter().map(is_with_headroom).collect();
    assert_eq!(arms, [false, true, true, false, false, true, true, false]);
    for body in &bodies {
        assert_eq!(
            (&body["max_tokens"], &body["temperature"], &body["seed"]),
            (&json!(2048), &json!(0), &json!(1))
        );
    }
    let found = report(folder.path());
    assert_eq!((&all(&found, 0)["with"]["some"], &all(&found, 0)["changed"]["some"]), (&json!(4), &json!(4)));
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(said.contains("No difference was found in how many questions were answered right"), "{said}");
    assert!(said.contains("too few pairs for an interval"), "{said}");
    let text = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(text.contains("A model answered.") && !text.contains("Nothing was sent"), "{text}");
    assert!(stderr(&output).contains("with and without Headroom: 4\n"), "{}", stderr(&output));
}

#[test]
fn every_api_is_asked_with_a_bound_and_read() {
    for (api, bound) in
        [("anthropic", "max_tokens"), ("responses", "max_output_tokens"), ("gemini", "maxOutputTokens")]
    {
        let folder = tempfile::tempdir().unwrap();
        let upstream = server(|body| {
            let text = found(body);
            let answer = match body {
                body if body["input"].is_array() => json!({
                    "id": "r", "object": "response", "status": "completed", "model": "own",
                    "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed",
                        "content": [{"type": "output_text", "text": text, "annotations": []}]}],
                    "usage": {"input_tokens": 900, "output_tokens": 10, "total_tokens": 910}}),
                body if body["contents"].is_array() => json!({
                    "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}],
                    "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 10}}),
                _ => json!({
                    "id": "m", "type": "message", "role": "assistant", "model": "own", "stop_reason": "end_turn",
                    "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 900, "output_tokens": 10}}),
            };
            (200, answer)
        });
        let output = run(folder.path(), &upstream, &["--api", api, "--answer-tokens", "77"]);
        assert_eq!(output.status.code(), Some(0), "{api}: {}", stderr(&output));
        let request = upstream.request();
        let body = request.json();
        let settings = if api == "gemini" { &body["generationConfig"] } else { &body };
        assert_eq!((&settings[bound], &settings["temperature"]), (&json!(77), &json!(0)), "{body}");
        if api == "gemini" {
            assert_eq!(request.target(), "/v1beta/models/own:generateContent");
        }
        let found = report(folder.path());
        let answers = all(&found, 0);
        assert_eq!((&answers["without"]["some"], &answers["with"]["some"]), (&json!(4), &json!(4)), "{api}");
        assert_eq!(answers["changed"]["some"], 4, "{api}");
        assert_eq!(all(&found, 1)["prompt_with"], 3600, "{api}");
    }
}

#[test]
fn what_a_server_does_not_take_is_left_out_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = server(|body| match body {
        body if body.get("max_tokens").is_some() => (
            400,
            json!({"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}),
        ),
        body if body.get("temperature").is_some() => {
            (400, json!({"error": {"message": "'temperature' does not support 0 with this model."}}))
        }
        body => (200, chat(&found(body))),
    });
    let output = run(folder.path(), &upstream, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(
        text.contains("The server took no `max_tokens`, `temperature`, so answers may differ by chance."),
        "{text}"
    );
    assert_eq!(all(&report(folder.path()), 0)["with"]["some"], 4);
}

#[test]
fn a_prompt_that_is_too_long_is_no_wrong_answer() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = server(|body| {
        if body.to_string().len() > 20_000 {
            return (
                400,
                json!({"error": {"message": "request exceeds the available context size", "type": "exceed_context_size_error"}}),
            );
        }
        (200, chat(&found(body)))
    });
    let output = run(folder.path(), &upstream, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = report(folder.path());
    assert_eq!(all(&found, 0)["without"], json!({"some": 0, "all": 0}), "{found:#}");
    let missing = rows(&found, "answers", "reason", "too long for the model")[0].clone();
    assert_eq!((&missing["without"], &missing["with"]), (&json!(4), &json!(0)), "{found:#}");
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(said.contains("No questions were compared"), "{said}");
}

#[test]
fn an_answer_that_does_not_come_is_given_up_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let asked = AtomicUsize::new(0);
    // The first answer comes when the test is over.
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let _ = released.lock().unwrap().recv_timeout(PATIENCE);
        }
        connection.write(ok(&chat(&found(&request.json())).to_string()))?;
        Ok(request)
    });
    let output = run(folder.path(), &upstream, &["--timeout", "2"]);
    drop(release);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = report(folder.path());
    assert_eq!(rows(&found, "answers", "reason", "no answer in time")[0]["without"], 1, "{found:#}");
    assert_eq!(all(&found, 0)["with"], json!({"some": 3, "all": 3}), "{found:#}");
}

#[test]
fn a_server_that_is_not_there_or_does_not_know_the_model_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = live(folder.path(), "http://127.0.0.1:9", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("cannot reach http://127.0.0.1:9: ") && said.contains("refused"), "{said}");
    for (status, body, said) in [
        (
            404,
            json!({"error": {"message": "no such model: own"}}),
            "404: {\"error\":{\"message\":\"no such model: own\"}}; check --model",
        ),
        (403, json!({"error": "forbidden"}), "set OPENAI_API_KEY to a key"),
        (400, json!({"error": "messages: no tools here"}), "nothing was asked further"),
    ] {
        let upstream = server(move |_| (status, body.clone()));
        let output = run(folder.path(), &upstream, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(!folder.path().join("report.json").exists(), "there is nothing to report");
    }
}

#[test]
fn a_server_that_fails_ends_the_run_with_a_report_of_what_came() {
    let folder = tempfile::tempdir().unwrap();
    let asked = AtomicUsize::new(0);
    let upstream = server(move |body| match asked.fetch_add(1, Ordering::SeqCst) {
        0..4 => (200, chat(&found(body))),
        _ => (200, json!({"error": "the model has crashed"})),
    });
    let output = run(folder.path(), &upstream, &["--items", "9"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("failed 6 times in a row") && said.contains("the model has crashed"), "{said}");
    assert!(said.contains("stopped after 4 of "), "{said}");
    let found = report(folder.path());
    assert_eq!(all(&found, 0)["with"]["all"], 2, "{found:#}");
    assert_eq!(rows(&found, "answers", "reason", "answer unreadable")[0]["with"], 2, "{found:#}");
}

/// An upstream that answers so many requests, and then none until it is told to.
fn stalling(answers: usize) -> (Upstream, mpsc::Receiver<()>, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(answers));
    let (count, (stalls, stalled)) = (Arc::clone(&left), mpsc::channel());
    let stalls = Mutex::new(stalls);
    let upstream = Upstream::start(move |connection| {
        let request: Message = connection.read()?;
        if count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            let _ = stalls.lock().unwrap().send(());
            // The client gives up; nothing comes any more.
            connection.is_ended();
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        }
        connection.write(ok(&chat(&found(&request.json())).to_string()))?;
        Ok(request)
    });
    (upstream, stalled, left)
}

#[test]
fn a_run_that_is_stopped_reports_what_it_has_and_continues_later() {
    let folder = tempfile::tempdir().unwrap();
    let (upstream, stalled, left) = stalling(3);
    let url = format!("http://{}", upstream.address);
    let child = live(folder.path(), &url, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    stalled.recv_timeout(PATIENCE).unwrap();
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("stopped after 1 of 4 questions"), "{}", stderr(&output));
    assert_eq!(all(&report(folder.path()), 0)["with"]["all"], 1);
    let text = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(text.contains("The run was stopped before 3 questions."), "{text}");

    while upstream.request_within(Duration::from_millis(50)).is_some() {}
    left.store(99, Ordering::SeqCst);
    let output = live(folder.path(), &url, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(all(&report(folder.path()), 0)["with"]["all"], 4);
    let asked = std::iter::from_fn(|| upstream.request_within(Duration::from_millis(50))).count();
    assert_eq!(asked, 5, "three of eight had an answer");
}

/// Writes the reference if a grammar says so, each character a token.
fn forced(body: &Value) -> Option<Value> {
    let grammar = body["grammar"].as_str()?;
    let reference = grammar.strip_prefix("root ::= \"")?.strip_suffix('"')?;
    // Less probable where the text is shorter, so that the arms differ.
    let each = if is_with_headroom(body) { -0.75 } else { -0.5 };
    let tokens =
        reference.chars().map(|c| json!({"token": c.to_string(), "logprob": each, "top_logprobs": []}));
    let tokens: Vec<Value> =
        tokens.chain([json!({"token": "", "logprob": -7.0, "top_logprobs": []})]).collect();
    let mut answer = chat(reference);
    answer["choices"][0]["logprobs"] = json!({"content": tokens});
    Some(answer)
}

#[test]
fn log_probabilities_are_those_of_the_reference_in_both_arms() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = server(|body| (200, forced(body).unwrap_or_else(|| chat(&found(body)))));
    let output = run(folder.path(), &upstream, &["--logprobs", "--items", "12"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = report(folder.path());
    let row = all(&found, 2);
    // Ids have four digits.
    assert_eq!((&row["without"], &row["with"]), (&json!(-2.0), &json!(-3.0)), "{found:#}");
    assert_eq!(row["difference"], json!({"value": -1.0, "low": -1.0, "high": -1.0}));
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        said.contains("0.37 times as probable") && said.contains("it is less probable with Headroom"),
        "{said}"
    );
}

#[test]
fn a_server_without_log_probabilities_is_told_from_one_that_has_them() {
    for status in [200, 400] {
        let folder = tempfile::tempdir().unwrap();
        let upstream = server(move |body| match body.get("grammar") {
            Some(_) if status == 400 => (400, json!({"error": "unknown field grammar"})),
            _ => (200, chat(&found(body))),
        });
        let output = run(folder.path(), &upstream, &["--logprobs"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("takes `grammar` and gives `logprobs`"), "{}", stderr(&output));
    }
}
