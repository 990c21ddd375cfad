//! Small results of every kind that the engine reads, most with a fact in their middle.

use std::{fs, path::Path};

use headroom_core::Api;
use headroom_tests::{
    ask::Ask,
    output::{Output, Planted},
};
use serde_json::{Value, json};

const FACT: &str = "kestrel5417";
const WORDS: [&str; 8] = ["harbour", "lantern", "quill", "meadow", "tide", "granite", "ember", "orchard"];

/// A request with one result, and what its result says.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    pub(crate) fact: Option<String>,
}

fn fixture(name: String, (tool, arguments): (&str, Value), question: &str, result: &str) -> Fixture {
    let body = Ask { question, tool, arguments, result }.body(Api::OpenAiChat);
    Fixture { name, body, fact: result.contains(FACT).then(|| FACT.to_owned()) }
}

/// Returns all fixtures of this repository.
pub(crate) fn all() -> Vec<Fixture> {
    let mut all = Vec::new();
    for output in Output::ALL {
        // As long as it takes for parts to be omitted.
        let rows = if output == Output::FileRead { 800 } else { 200 };
        for stands_out in [false, true].into_iter().filter(|stands_out| !stands_out || output.has_outliers())
        {
            let planted = Planted { at: rows / 2, word: FACT, stands_out };
            let text = output.text(rows, 3, Some(planted));
            let question = if stands_out { "Look at it." } else { "What about kestrel5417?" };
            all.push(fixture(format!("{output}, {question}"), output.call(None), question, &text));
        }
    }
    let run = |command: &str| ("run_command", json!({"command": command}));
    let fetch = ("fetch", json!({"url": "https://example.org/"}));
    let asked = "Why does kestrel5417 matter to the keepers?";
    for (name, call, question, text) in [
        ("page", fetch.clone(), "Look at it.", page()),
        ("article", fetch.clone(), asked, article(24)),
        ("long article", fetch, "Look at it.", article(80)),
        ("meeting", ("search_documents", json!({"query": asked})), asked, meeting()),
        ("commits", run("git log"), "Look at it.", commits()),
        ("YAML", run("kubectl get all -o yaml"), "Look at it.", yaml()),
        ("rows below headers", run("mysql -e 'select * from ships\\G'"), "Look at it.", vertical()),
        ("ls -R", run("ls -R"), "Look at it.", recursive()),
        ("compiler", run("make"), "Look at it.", compiler()),
        ("sections", run("ansible-playbook site.yml"), "Look at it.", sections()),
        ("data", run("cat logo.b64"), "Look at it.", base64()),
        ("JSON with long strings", run("curl api.local"), "Look at it.", strings()),
        ("series", run("curl metrics.local"), "Look at it.", series()),
        ("repeated lines", run("tail -f log"), "Look at it.", repeated()),
        ("code", ("fetch", json!({"path": "src/main.rs"})), "Look at it.", include_str!("main.rs").repeat(3)),
        ("numbered file", ("read_file", json!({"file_path": "/app/a.rs"})), "Look at it.", numbered()),
    ] {
        all.push(fixture(name.to_owned(), call, question, &text));
    }
    all
}

/// Returns recorded results of every kind, evenly spread.
pub(crate) fn recorded(root: &Path) -> Vec<Fixture> {
    let mut all = Vec::new();
    for folder in ["json", "logs", "search", "diffs", "code", "html", "prose"] {
        let mut paths = Vec::new();
        files(&root.join(folder), &mut paths);
        paths.retain(|path| {
            !path.to_string_lossy().contains("/robustness/") && fs::metadata(path).unwrap().len() < 60_000
        });
        let step = paths.len().div_ceil(12).max(1);
        for path in paths.iter().step_by(step) {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let tool = if name.contains("/read-") { "read_file" } else { "run" };
            all.push(fixture(name.clone(), (tool, json!({"path": name})), "Look at it.", &text));
        }
    }
    all
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn word(n: usize) -> &'static str {
    WORDS[n * 7 % 8]
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

fn sentence(n: usize) -> String {
    let (a, b) = (word(n), word(n / 3 + 1));
    if n % 48 == 20 {
        return format!("The keepers of the {a} found {FACT} in the {b} and wrote of it for years.");
    }
    match n % 4 {
        0 => format!("In the spring of {} the {a} stood empty and nobody came to the {b}.", 1800 + n % 90),
        1 => format!("However, those who had seen the {a} spoke of the {b} with some care."),
        2 => {
            format!("Its walls are {} feet high, and the {a} behind them is older than the {b}.", 20 + n % 70)
        }
        _ => format!("When the {a} was sold, the new owners took the {b} away and built another one."),
    }
}

fn article(paragraphs: usize) -> String {
    lines(paragraphs, |n| {
        let heading =
            if n % 8 == 0 { format!("# The {} of the {}\n\n", word(n), word(n + 3)) } else { String::new() };
        let said: Vec<String> = (0..5).map(|at| sentence(n * 5 + at)).collect();
        format!("{heading}{}\n", said.join(" "))
    })
}

fn meeting() -> String {
    lines(90, |n| format!("{}: {}", ["Ada", "Ben", "Cleo"][n % 3], sentence(n)))
}

fn page() -> String {
    let links = lines(30, |n| format!("<li><a href=\"/{0}/{n}\">{0} {n}</a></li>", word(n)));
    let rows = lines(12, |n| {
        let spans = if n % 2 == 0 { format!("<td rowspan=2>{} feet</td>", 20 + n) } else { String::new() };
        format!("<tr><td>{} {n}</td>{spans}<td>built in {}</td></tr>", word(n), 1800 + n)
    });
    let said = lines(20, |n| format!("<p>{} {}</p>", sentence(n * 2), sentence(n * 2 + 1)));
    format!(
        "<!doctype html><html><head><title>The keepers</title></head><body><nav><ul>{links}</ul></nav>\n<main><h1>The keepers</h1>\n{said}<table>{rows}</table></main>\n<footer><ul>{links}</ul><p>All rights reserved.</p></footer></body></html>\n"
    )
}

fn commits() -> String {
    lines(60, |n| {
        let subject = if n == 31 {
            format!("Fix the panic in {FACT}")
        } else {
            format!("Move {} to {}", word(n), word(n + 1))
        };
        let body =
            if n % 9 == 4 { lines(70, |at| format!("    {} {at}", sentence(at))) } else { String::new() };
        format!(
            "commit {:040x}\nAuthor: Ada <ada@example.org>\nDate:   Mon Apr {} 10:{:02}:00 2031 +0000\n\n    {subject}\n{body}",
            0x0123_4567_89ab_u64 + n as u64 * 0x1357_9bdf,
            n % 28 + 1,
            n % 60
        )
    })
}

fn yaml() -> String {
    let items = lines(60, |n| {
        let (image, phase) = if n == 29 { (FACT, "Failed") } else { (word(n), "Running") };
        format!(
            "- kind: Pod\n  metadata:\n    name: {}-{n}\n  spec:\n    image: {image}\n    cpu: {}\n  status:\n    phase: {phase}",
            word(n),
            n % 4
        )
    });
    format!("apiVersion: v1\nitems:\n{items}kind: List\n")
}

fn vertical() -> String {
    lines(80, |n| {
        let state = if n == 41 { format!("failed by {FACT}") } else { "open".to_owned() };
        format!(
            "*************************** {}. row ***************************\n     id: {}\n   name: {}\n  state: {state}\n  bytes: {}",
            n + 1,
            n + 900,
            word(n),
            1000 + n * 37 % 90
        )
    })
}

fn recursive() -> String {
    lines(70, |n| {
        let own = if n == 33 { format!("{FACT}.toml\n") } else { String::new() };
        format!("./src/{}/{n}:\n{own}{}", word(n), lines(n % 9 + 2, |at| format!("{}{at}.rs", word(at))))
    })
}

fn compiler() -> String {
    lines(150, |n| match n {
        77 => format!(
            "src/{}.c:{n}:5: error: '{FACT}' undeclared (first use in this function)\n   {n} |     x = {FACT};\n      |         ^~~~",
            word(n)
        ),
        _ if n % 5 == 0 => format!(
            "src/{}{}.c:{n}:9: warning: unused variable '{}{n}' [-Wunused-variable]",
            word(n),
            n % 13,
            word(n + 2)
        ),
        _ => format!("cc -O2 -Wall -c src/{}{n}.c -o build/{}{n}.o", word(n), word(n)),
    })
}

fn sections() -> String {
    lines(24, |n| {
        let hosts = lines(14, |at| {
            if n == 13 && at == 6 {
                format!("fatal: [{FACT}]: UNREACHABLE!")
            } else {
                format!("ok: [host-{at}.{}.example.org]", word(at))
            }
        });
        format!("TASK [{} : install {}] {}\n{hosts}", word(n), word(n + 1), "*".repeat(40))
    })
}

fn base64() -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 0x9e37_79b9_u32;
    let mut sign = |_: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(SIGNS[(state >> 24) as usize % 64])
    };
    let rows: String = (0..60).map(|_| (0..76).map(&mut sign).collect::<String>() + "\n").collect();
    format!("logo of {FACT}:\n{rows}done\n")
}

fn strings() -> String {
    let log = Output::ServerLog.text(120, 5, Some(Planted { at: 60, word: FACT, stands_out: true }));
    json!({"id": 7, "log": log, "page": page(), "notes": article(12), "logo": base64()}).to_string()
}

fn series() -> String {
    let rows: Vec<Value> = (0..240)
        .map(|n| {
            let (level, host) = if n == 121 { (9000, FACT) } else { (if n < 150 { 40 } else { 90 } + n % 7, word(n as usize)) };
            json!({"at": format!("2031-04-09T10:{:02}:{:02}Z", n / 60, n % 60), "host": host, "level": level, "state": if n % 60 == 9 { "degraded" } else { "ok" }, "score": n * 37 % 101})
        })
        .collect();
    json!({"series": rows, "code": 200}).to_string()
}

fn repeated() -> String {
    let same = lines(40, |_| "2031-04-09T10:00:01Z INFO waiting for the tide".to_owned());
    format!("{same}2031-04-09T10:00:02Z WARN {FACT} came late\n{same}{}", Output::ServerLog.text(80, 2, None))
}

fn numbered() -> String {
    let source = include_str!("main.rs").repeat(8);
    source.lines().enumerate().map(|(n, line)| format!("{:6}\t{line}\n", n + 1)).collect()
}
