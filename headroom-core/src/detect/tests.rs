use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::*;
use crate::compress::shared;
use ContentKind::{FileRead, Json, Search, Text};

fn of_command(command: &str) -> ContentKind {
    let arguments = serde_json::json!({ "command": command, "description": "run" }).to_string();
    kind("some text\n", Some("Bash"), Some(&arguments))
}

#[test]
fn commands_that_show_a_file_are_file_reads() {
    for command in [
        "cat src/main.rs",
        "cat -A src/a.py | head -n 230 | tail -n 10",
        "cd /repo && cat src/main.rs",
        "ls -la /home/dev/shop && cat /home/dev/shop/app.log",
        "cat a.c; ls",
        "cat < a.c",
        "cat \"a b.c\" 2>/dev/null",
        "cat Cargo.toml 2>&1 | grep version",
        "/bin/cat a.c",
        "sed -n '1,20p' src/main.rs",
        "sed -n 221,240p /home/dev/shop/app.log",
        "sed -n '/def _to_json/,/def _from_json/p' src/_pytest/reports.py",
        "sed -n '740,780p;1915,1950p' a.py",
        "sed -ne 1,5p a.py",
        "sed -n -e 1,5p -e 9p a.py",
        "sed '20q' a.py",
        "nl -ba xarray/core/dataset.py | sed -n '842,880p'",
        "nl -ba requests/utils.py | grep -A 15 \"def to_native_string\"",
        "nl -b a -w 4 a.py",
        "head -n 30 a.py",
        "head -30 a.py",
        "head -c 200 a.py",
        "tail sympy/printing/str.py",
        "tail -n +100 a.py | head -50",
        "tail -50 /tmp/out.log",
        "less +100 a.py",
        "more a.py",
        "bat -r 10:20 a.py",
        "batcat --paging=never a.py",
        "awk 'NR>=10 && NR<=20' a.py",
        "awk '/new Markdown\\($/,/)$/{print NR\": \"$0}' packages/tui/test/markdown.test.ts | head -40",
        "awk 'NR==5{print;exit}' a.py",
        "sudo -u bob cat /etc/hosts",
        "timeout 10 cat a.py",
        "env LC_ALL=C cat a.py",
        "LC_ALL=C cat a.py",
        "time cat a.py",
        "(cd src; cat a.py)",
        "{ cat a.py; }",
        "for f in a.py b.py; do echo == $f; cat $f; done",
        "if [ -f a.py ]; then cat a.py; fi",
        "test -f a.py || cat b.py",
        "bash -lc 'cat a.py'",
        "sh -c \"cd x && sed -n 1,5p a.py\"",
        "git ls-files '*.toml' | xargs cat",
        "git ls-files | xargs -n 1 head -5",
        "find . -name '*.toml' -exec cat {} \\;",
        "find . -name '*.toml' -exec head -n 5 {} +",
        "docker exec -it web cat /etc/nginx/nginx.conf",
        "kubectl exec pod -- sh -c 'cat /etc/hosts'",
        "ssh host cat /etc/hosts",
        "ssh host 'sed -n 1,5p /etc/hosts'",
        "git show HEAD:src/main.rs",
        "git -C /repo show HEAD~1:src/main.rs | head -40",
        "pip list\ncat requirements.txt",
        "cat <<'EOF' > x.py\nprint(1)\nEOF\ncat x.py",
        "echo \"$(cat a.py)\"",
        "# look\ncat a.py",
        "cat a.py | tee copy.py",
        "cat a.py \\\n  b.py",
        "Get-Content a.ps1",
        "powershell -Command \"Get-Content a.ps1\"",
    ] {
        assert_eq!(of_command(command), FileRead, "{command}");
    }
}

#[test]
fn other_commands_are_not() {
    for command in [
        "",
        "ls -la",
        "ls -R | head -50",
        "git log --stat -n 20 | cat",
        "git log | head -20",
        "git diff HEAD~1 || true",
        "git show HEAD",
        "git show HEAD --stat | tail -5",
        "git -C /repo status",
        "grep -rn ERROR /home/dev/shop",
        "grep -n 'cat file' a.py",
        "rg --files | head",
        "find . -name '*.py' | head -n 5",
        "find . -name cat",
        "find . -type f -exec wc -l {} +",
        "cargo test 2>&1 | tail -50",
        "pytest tests/test_domain_std.py",
        "mise run lint 2>&1 | head -50",
        "go test ./... | tail -n 40",
        "npm run check 2>&1 | tail -10",
        "docker logs web | tail -100",
        "docker run --rm image pytest",
        "kubectl get pods -o wide",
        "cat <<'EOF' > x.py\nimport os\ncat y\nEOF",
        "cat > x.py <<'EOF'\nimport os\nEOF\npython x.py",
        "cat <<EOF\nhello\nEOF",
        "cat a.py > b.py",
        "cat a.py | wc -l",
        "cat a.json | jq '.items[]'",
        "cat a.py | python -m json.tool",
        "cat files.txt | xargs grep foo",
        "cat data.csv | awk -F, '{print $2}'",
        "awk '{print $1}' access.log",
        "awk -F: '{print $1}' /etc/passwd",
        "ps aux | awk 'NR>1'",
        "ps aux | sed -n 1,5p",
        "ps aux | nl -w 4",
        "sed -i 's/a/b/' a.py",
        "sed -i '' 's/a/b/' a.py",
        "sed -ni '1,5p' a.py",
        "echo cat a.py",
        "echo 'cat a.py'",
        "printf 'x\\n'",
        "python -c \"print(open('a.py').read())\"",
        "gh pr create --title x --body \"$(cat <<'EOF'\ncat y\nEOF\n)\"",
        "gh api repos/x/y | jq .",
        "curl -s https://example.com/cat | head",
        "concat a.py",
        "wc -l a.py",
        "ssh host uptime",
        "timeout 10 cargo test",
        "git show https://example.com/x",
    ] {
        assert_eq!(of_command(command), Text, "{command}");
    }
}

#[test]
fn commands_are_found_in_every_shape_of_arguments() {
    for (arguments, expected) in [
        (r#"{"cmd":"cat a.py","workdir":"/x"}"#, FileRead),
        (r#"{"command":["bash","-lc","cat a.py | head"],"timeout":5}"#, FileRead),
        (r#"{"command":["cat","a.py"]}"#, FileRead),
        (r#"{"command":["rg","cat","a.py"]}"#, Text),
        (r#"["bash","-lc","sed -n 1,5p a.py"]"#, FileRead),
        (r#"{"commands":["ls","cat a.py"]}"#, FileRead),
        (r#"{"type":"exec","command":["bash","-lc","ls"],"env":{}}"#, Text),
        (r#"{"action":{"command":"cat a.py"}}"#, FileRead),
        (r#"{"script":"set -e\ncat a.py\n"}"#, FileRead),
        (r#"{"command":"cat \"a b.py\""}"#, FileRead),
        (r#"{"CommandLine":"cat a.py","Cwd":"/"}"#, FileRead),
        (r#"{"content":"{\"command\": \"cat a.py\"}","path":"x"}"#, Text),
        (r#"{"description":"cat a.py","command":"ls"}"#, Text),
        ("cat a.py", FileRead),
        ("ls", Text),
        ("", Text),
        ("{", Text),
        (r#"{"command":"cat a.py"#, Text),
        (r#"{"command":"\ud83dcat a.py"}"#, Text),
        (
            "// don't\nconst r0 = await tools.exec_command({\"cmd\": \"cat data.json\", \"workdir\": \"/x\"}); text(r0.output);",
            FileRead,
        ),
        ("const r = await tools.exec_command({cmd: 'grep -rn x .'}); text(r.output);", Text),
        ("const r = await tools.exec_command({cmd: `cd x &&\ncat a.py`}); text(r.output);", FileRead),
        ("const cmd = 'cat a.py'; text((await tools.exec_command({cmd})).output);", FileRead),
        (r#"{"code":"text(await tools.exec_command({cmd:\"cat a.py\"}))"}"#, FileRead),
    ] {
        assert_eq!(kind("text\n", Some("shell"), Some(arguments)), expected, "{arguments}");
    }
}

#[test]
fn tools_that_read_files_are_known_by_name() {
    for tool in [
        "Read",
        "read",
        "read_file",
        "ReadFile",
        "view",
        "open_file",
        "cat",
        "open",
        "read_many_files",
        "mcp__fs__read_file",
        "mcp__filesystem__read_text_file",
        "mcp_filesystem_read_file",
        "mcp__github__get_file_contents",
        "functions.read_file",
        "fs_read",
        "NotebookRead",
        "view_file",
    ] {
        assert_eq!(kind("[1, 2]", Some(tool), Some(r#"{"path":"a.py"}"#)), FileRead, "{tool}");
    }
    for tool in
        ["Grep", "Glob", "LS", "search_file_content", "list_customers", "thread", "bash", "Edit", "Write"]
    {
        assert_eq!(kind("text\n", Some(tool), Some(r#"{"path":"a.py"}"#)), Text, "{tool}");
    }
    for (command, expected) in [("view", FileRead), ("create", Text), ("str_replace", Text)] {
        let arguments = format!(r#"{{"command":"{command}","path":"/a.py"}}"#);
        for tool in ["str_replace_editor", "str_replace_based_edit_tool"] {
            assert_eq!(kind("text\n", Some(tool), Some(&arguments)), expected, "{tool} {command}");
        }
    }
}

#[test]
fn structure_decides_where_the_call_does_not() {
    let view = "Here is the result of `cat -n` on a snippet:\n    12→fn a() {\n    13→}\n    14→\n    15→fn b() {}\n";
    assert_eq!(kind(view, Some("Edit"), None), FileRead);
    assert_eq!(kind(view, None, None), FileRead);
    assert_eq!(kind("12:a\n13:b\n14:c\n", Some("Grep"), Some("{}")), Search);
    assert_eq!(kind("12:a\n13:b\n14:c\nx\ny\nz\n", None, None), Text);
    assert_eq!(kind(" {\"a\": [1]}\n", Some("list_customers"), None), Json);
    assert_eq!(kind("{\"a\": 1}\n{\"a\": 2}\n", None, None), Json);
    assert_eq!(kind("", None, None), Text);
}

proptest::proptest! {
    #[test]
    fn any_call_is_taken(
        text in "\\PC{0,30}",
        tool in "\\PC{0,12}",
        arguments in "([{}\\[\\]\"'`$()<>|&;:=\\\\\n ]|cmd|command|cat|sed|tools\\.|EOF|<<|-e|\\PC){0,40}",
    ) {
        let _ = kind(&text, Some(&tool), Some(&arguments));
    }
}

/// A tool result from a recorded conversation.
struct Sample {
    tool: String,
    arguments: String,
    text: String,
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_tool_results_are_told_apart() {
    let samples = samples(&shared("")).unwrap();
    let mut hits = (0_usize, 0_usize);
    let mut matrix = BTreeMap::<&str, BTreeMap<&str, usize>>::new();
    for Sample { tool, arguments, text } in &samples {
        let kind =
            kind(text, Some(tool).filter(|tool| !tool.is_empty()).map(String::as_str), Some(arguments));
        *matrix.entry(tool.as_str()).or_default().entry(kind.as_str()).or_default() += 1;
        let content = arguments.contains(r#""output_mode":"content""#) && text.lines().count() > 4;
        match tool.as_str() {
            "Read" | "read" | "read_file" | "open" => {
                assert!(kind == FileRead || is_of_a_machine(arguments), "{kind}: {arguments}");
            }
            "Grep" if content => {
                let certain = [Search, ContentKind::Listing, ContentKind::Code, Text];
                assert!(certain.contains(&kind), "{kind}: {arguments}");
                hits.0 += usize::from(kind == Search);
                hits.1 += 1;
            }
            "Glob" if text.lines().count() > 4 => assert_eq!(kind, ContentKind::Listing, "{arguments}"),
            "Grep" | "Glob" | "grep" | "grep_search" => assert_ne!(kind, FileRead, "{arguments}"),
            "get_reservation_details" => assert_ne!(kind, FileRead, "{arguments}"),
            _ => {}
        }
        let shows = ["cat /", "sed -n", "nl -ba"]
            .iter()
            .any(|start| arguments.starts_with(&format!("{{\"command\":\"{start}")));
        if shows && !arguments.contains('>') {
            assert!(kind == FileRead || is_of_a_machine(arguments), "{kind}: {arguments}");
        }
    }
    structure::tests::print_matrix(&matrix);
    println!("{} of {} results of Grep with lines of files are searches", hits.0, hits.1);
    assert!(hits.0 * 100 >= hits.1 * 90, "{hits:?}");
    assert!(samples.len() > 1000, "{} samples", samples.len());
}

/// Whether the call names a file of a kind that programs write.
fn is_of_a_machine(arguments: &str) -> bool {
    [".csv", ".ipynb", ".json", ".log", ".output", ".txt"].iter().any(|end| arguments.contains(end))
}

fn samples(shared: &Path) -> Option<Vec<Sample>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(shared.join("corpora/agent-traces")).ok()? {
        files.push(entry.ok()?.path());
    }
    for client in fs::read_dir(shared.join("captures")).ok()?.flatten().filter(|entry| entry.path().is_dir())
    {
        files.extend(fs::read_dir(client.path()).ok()?.flatten().map(|entry| entry.path()));
    }
    let mut samples = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "json" || end == "body"))
    {
        let Ok(value) = serde_json::from_slice::<Value>(&fs::read(file).ok()?) else { continue };
        match value.get("request") {
            Some(request) => collect(request, &mut samples),
            None if file.extension().is_some_and(|end| end == "body") => collect(&value, &mut samples),
            None => {}
        }
    }
    Some(samples)
}

/// Collects the tool results of a request in any API, with their calls.
fn collect(request: &Value, samples: &mut Vec<Sample>) {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut calls = BTreeMap::<String, (String, String)>::new();
    let mut found = Vec::new();
    for message in list(request, "messages") {
        for call in list(&message, "tool_calls") {
            let function = &call["function"];
            calls.insert(string(&call["id"]), (string(&function["name"]), string(&function["arguments"])));
        }
        if message["role"] == "tool" {
            found.push((string(&message["tool_call_id"]), words(&message["content"])));
        }
        for block in list(&message, "content") {
            match block["type"].as_str() {
                Some("tool_use") => {
                    calls.insert(string(&block["id"]), (string(&block["name"]), string(&block["input"])));
                }
                Some("tool_result") => found.push((string(&block["tool_use_id"]), words(&block["content"]))),
                _ => {}
            }
        }
    }
    for item in list(request, "input") {
        let id = string(&item["call_id"]);
        match item["type"].as_str() {
            Some(end) if end.ends_with("_call") => {
                let arguments = [&item["arguments"], &item["input"], &item["action"]];
                let arguments = arguments.into_iter().find(|value| !value.is_null());
                calls.insert(id, (string(&item["name"]), arguments.map(string).unwrap_or_default()));
            }
            Some(end) if end.ends_with("_call_output") => found.push((id, words(&item["output"]))),
            _ => {}
        }
    }
    for content in list(request, "contents") {
        for part in list(&content, "parts") {
            let (call, response) = (&part["functionCall"], &part["functionResponse"]);
            if !call.is_null() {
                calls.insert(string(&call["id"]), (string(&call["name"]), string(&call["args"])));
            }
            if !response.is_null() {
                found.push((string(&response["id"]), words(&response["response"]["output"])));
            }
        }
    }
    samples.extend(found.into_iter().map(|(id, text)| {
        let (tool, arguments) = calls.get(&id).cloned().unwrap_or_default();
        Sample { tool, arguments, text }
    }));
}

fn string(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn words(content: &Value) -> String {
    match content {
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => string(content),
    }
}
