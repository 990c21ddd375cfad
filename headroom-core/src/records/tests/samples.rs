//! Texts in many forms, with one fact that stands out in one of their parts.

/// A line, and the part that it tells of.
#[derive(Clone, Debug)]
pub(super) struct SampleLine {
    pub(super) text: String,
    pub(super) owner: Option<usize>,
    /// Whether the line names its part.
    pub(super) names: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) lines: Vec<SampleLine>,
    /// What the parts are called.
    pub(super) ids: Vec<String>,
    /// The line with the fact.
    pub(super) planted: usize,
    /// Whether gaps name the parts that they hide. Names of tests that passed tell of nothing.
    pub(super) are_named: bool,
}

impl Sample {
    pub(super) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    fn with(&self, lines: Vec<SampleLine>) -> Self {
        let fact = &self.lines[self.planted].text;
        let planted = lines.iter().position(|line| line.text.ends_with(fact.as_str())).unwrap_or(0);
        Self { lines, planted, ..self.clone() }
    }

    /// Turns the order of the parts around.
    pub(super) fn turned(&self) -> Self {
        let parts = self.lines.chunk_by(|a, b| a.owner == b.owner).collect::<Vec<_>>();
        self.with(parts.into_iter().rev().flatten().cloned().collect())
    }

    /// Puts a time before every line, as runners of builds do.
    pub(super) fn stamped(&self) -> Self {
        let line = |(at, line): (usize, &SampleLine)| {
            let (minute, second) = (at / 60 % 60, at % 60);
            let text = format!("2031-05-06T07:{minute:02}:{second:02}.1234567Z {}", line.text);
            SampleLine { text, ..line.clone() }
        };
        self.with(self.lines.iter().enumerate().map(line).collect())
    }

    /// Drops the lines before this part of the text. What lost its first line has no owner any more.
    pub(super) fn from(&self, part: f64) -> Self {
        let at = (self.lines.len() as f64 * part) as usize;
        let mut lines = self.lines[at..].to_vec();
        let first = self.lines[at].owner;
        let is_whole = at == 0 || self.lines[at - 1].owner != first;
        if !is_whole {
            lines.iter_mut().filter(|line| line.owner == first).for_each(|line| line.owner = None);
        }
        self.with(lines)
    }

    /// Drops the lines behind this part of the text.
    pub(super) fn until(&self, part: f64) -> Self {
        let at = (self.lines.len() as f64 * part) as usize;
        self.with(self.lines[..at].to_vec())
    }
}

/// Returns a name that no other part has.
fn id(at: usize) -> String {
    const WORDS: [&str; 7] = ["harbor", "lantern", "quill", "meadow", "granite", "ember", "orchard"];
    format!("{}-{}", WORDS[at % WORDS.len()], 10 + at * 7)
}

/// A way to write headers.
pub(super) struct SectionStyle {
    pub(super) name: &'static str,
    /// The lines of a header; `@` stands for the name, `#` for the number of the section.
    header: &'static [&'static str],
    /// What ends a section, and the margin of each of its lines.
    footer: &'static [&'static str],
    indent: &'static str,
    /// Whether its lines start with a time.
    has_times: bool,
}

pub(super) fn sections() -> Vec<SectionStyle> {
    let style = |name, header| SectionStyle { name, header, footer: &[], indent: "", has_times: true };
    let mut styles = vec![
        style("tail", &["==> @ <=="]),
        style("dashes", &["--- @"]),
        style("equals", &["=== @ ==="]),
        style("hashes", &["## @"]),
        style("arrows", &[">>> @"]),
        style("stars", &["***** @ *****"]),
        style("colon", &["@:"]),
        style("brackets", &["[@]"]),
        style("command", &["$ kubectl logs @"]),
        style("shell prompt", &["ada@box:~/src$ tail @.log"]),
        style("steps", &["[#/90] running @"]),
        style("docker steps", &["Step #/90 : RUN check @"]),
        style("ansible", &["TASK [@] ****************************************"]),
        style("underlined", &["@", "----------------"]),
        style("between rules", &["================", "@", "================"]),
        style("failures", &["FAIL: @"]),
        style("pytest", &["_______________ @ _______________"]),
        style("tildes", &["~~~ @"]),
        style("bare", &["Host @"]),
        style("go test", &["=== RUN   Test@"]),
        style("double dash", &["-- @ --"]),
    ];
    styles.push(SectionStyle {
        name: "github groups",
        header: &["##[group]@"],
        footer: &["##[endgroup]"],
        indent: "",
        has_times: true,
    });
    styles.push(SectionStyle {
        name: "workflow groups",
        header: &["::group::@"],
        footer: &["::endgroup::"],
        indent: "",
        has_times: true,
    });
    styles.push(SectionStyle {
        name: "blank before",
        header: &["", "Node @"],
        footer: &[],
        indent: "",
        has_times: true,
    });
    styles.push(SectionStyle {
        name: "indented",
        header: &["@"],
        footer: &[],
        indent: "    ",
        has_times: true,
    });
    let plain = styles.iter().map(|style| SectionStyle { has_times: false, ..*style }).collect::<Vec<_>>();
    styles.extend(plain);
    styles.push(SectionStyle {
        name: "above columns",
        header: &["@", "Filesystem Blocks Used Mounted"],
        footer: &[],
        indent: "",
        has_times: false,
    });
    styles
}

impl SectionStyle {
    pub(super) fn label(&self, count: usize) -> String {
        format!("{} x{count}{}", self.name, if self.has_times { "" } else { " without times" })
    }

    /// Returns `count` sections of `size` lines. One line in the section `planted` stands out.
    pub(super) fn sample(&self, count: usize, size: usize, planted: usize) -> Sample {
        let mut lines = Vec::new();
        let mut fact = 0;
        for at in 0..count {
            let own = |text: String, names| SampleLine { text, owner: Some(at), names };
            for header in self.header {
                let names = header.contains('@');
                // The address of the user is no name.
                let text = match header.strip_prefix("ada@") {
                    Some(rest) => format!("ada@{}", rest.replace('@', &id(at))),
                    None => header
                        .replace('@', &id(at))
                        .replace("[#/", &format!("[{}/", at + 1))
                        .replace("Step #", &format!("Step {}", at + 1)),
                };
                let owner = Some(at).filter(|_| !text.is_empty());
                lines.push(SampleLine { text, owner, names });
            }
            for line in 0..size {
                let (minute, second) = (line / 60, line % 60);
                let is_fact = at == planted && line == size / 2;
                let (took, status) =
                    if is_fact { (48_123, 504) } else { (12 + (at * 7 + line * 5) % 9, 200) };
                if is_fact {
                    fact = lines.len();
                }
                let time = format!("2031-04-09T10:{minute:02}:{second:02}Z INFO request");
                let time = if self.has_times { time.as_str() } else { "GET" };
                let text = format!(
                    "{}{time} /ledger/{} served in {took} ms status={status}",
                    self.indent,
                    at * 1000 + line * 3,
                );
                lines.push(own(text, false));
            }
            lines.extend(self.footer.iter().map(|footer| own((*footer).to_owned(), false)));
        }
        Sample { lines, ids: (0..count).map(id).collect(), planted: fact, are_named: self.name != "go test" }
    }
}

/// A way to write records.
pub(super) struct RecordStyle {
    pub(super) name: &'static str,
    /// Returns the lines of a record, those that name it marked with a leading `!`. Given its number and name, and
    /// whether it is the one with the fact, whose line is marked with a leading `?`.
    pub(super) lines: fn(usize, &str, bool) -> Vec<String>,
    /// Returns what names it.
    pub(super) id: fn(usize, &str) -> String,
    /// Lines before and behind all records.
    pub(super) around: (&'static [&'static str], &'static [&'static str]),
    /// Whether an empty line separates records.
    pub(super) parted: bool,
}

pub(super) fn hash(at: usize) -> String {
    let mut state = at as u64 + 77;
    (0..5)
        .map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            format!("{:08x}", (state >> 32) as u32)
        })
        .collect()
}

fn named(_: usize, name: &str) -> String {
    name.to_owned()
}

fn short_hash(at: usize, _: &str) -> String {
    hash(at)[..7].to_owned()
}

pub(super) fn records() -> Vec<RecordStyle> {
    let style = |name, lines, id, parted| RecordStyle { name, lines, id, around: (&[], &[]), parted };
    vec![
        RecordStyle { around: (&[], &[]), ..style("git log", git_log, short_hash, true) },
        style("git log fuller", git_fuller, short_hash, true),
        style("git log stat", git_stat, short_hash, true),
        style("git log graph", git_graph, short_hash, false),
        style("mercurial", mercurial, |at, _| hash(at)[..12].to_owned(), true),
        style("mysql", mysql, |at, _| (5000 + at * 3).to_string(), false),
        style("psql", psql, |at, _| (5000 + at * 3).to_string(), false),
        style("sqlite", sqlite, named, true),
        style("key and value", entry, named, true),
        RecordStyle {
            around: (&["apiVersion: v1", "items:"], &["kind: List"]),
            ..style("yaml list", yaml_item, named, false)
        },
        style("yaml list of a file", yaml_plain, named, false),
        style("yaml documents", yaml_document, named, false),
        RecordStyle {
            around: (
                &["Terraform will perform the following actions:", ""],
                &["", "Plan: 0 to add, 1 to change."],
            ),
            ..style("terraform", terraform, |_, name| format!("aws_instance.{name}"), true)
        },
    ]
}

impl RecordStyle {
    /// Returns `count` records. The record `planted` has the fact.
    pub(super) fn sample(&self, count: usize, planted: usize) -> Sample {
        let plain = |text: &&str| SampleLine { text: (*text).to_owned(), owner: None, names: false };
        let mut lines: Vec<SampleLine> = self.around.0.iter().map(plain).collect();
        let mut fact = 0;
        for at in 0..count {
            if self.parted && at > 0 {
                lines.push(plain(&""));
            }
            for line in (self.lines)(at, &id(at), at == planted) {
                if line.starts_with('?') {
                    fact = lines.len();
                }
                let text = line.trim_start_matches(['!', '?']).to_owned();
                lines.push(SampleLine { text, owner: Some(at), names: line.starts_with('!') });
            }
        }
        lines.extend(self.around.1.iter().map(plain));
        Sample {
            lines,
            ids: (0..count).map(|at| (self.id)(at, &id(at))).collect(),
            planted: fact,
            are_named: true,
        }
    }
}

/// A message of a commit. The one with the fact is the last of a long series, or found by its words.
fn message(at: usize, name: &str) -> String {
    format!("Let the {name} say why part {at} is refused")
}

fn date(at: usize) -> String {
    format!("2031-{:02}-{:02} {:02}:14:15 +0200", at / 28 % 12 + 1, at % 28 + 1, at * 5 % 24)
}

const AUTHORS: [&str; 3] = [
    "Ada Quill <ada@example.org>",
    "Ben Harbor-Lantern <ben@example.org>",
    "Cleo Orchard <cleo@example.org>",
];

pub(super) fn fact(is_fact: bool) -> &'static str {
    if is_fact { "?" } else { "" }
}

fn git_log(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    // The first and the last commits stay; nothing in a log stands out by itself.
    let _ = is_fact;
    let mark = if at == 0 { "?" } else { "" };
    vec![
        format!("!commit {}", hash(at)),
        format!("Author: {}", AUTHORS[at % 3]),
        format!("{mark}Date:   {}", date(at)),
        String::new(),
        format!("!    {}", message(at, name)),
        String::new(),
        format!("    The {name} has {at} reasons, and more of them in part {}.", at + 1),
    ]
}

fn git_fuller(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let mut lines = git_log(at, name, is_fact);
    let mark = if at == 0 { "?" } else { "" };
    lines.splice(
        1..3,
        [
            format!("Author:     {}", AUTHORS[at % 3]),
            format!("{mark}AuthorDate: {}", date(at)),
            format!("Commit:     {}", AUTHORS[(at + 1) % 3]),
            format!("CommitDate: {}", date(at + 1)),
        ],
    );
    lines
}

fn git_stat(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let mut lines = git_log(at, name, is_fact);
    lines.truncate(5);
    lines.extend([
        String::new(),
        format!(" src/{name}/part_{at}.rs | {:>3} +++---", at % 40 + 1),
        format!(" src/{name}/mod.rs | {:>3} +", at % 7 + 1),
        format!(" 2 files changed, {} insertions(+), 3 deletions(-)", at % 40 + 2),
    ]);
    lines
}

fn git_graph(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let lines = git_log(at, name, is_fact).into_iter().enumerate().map(|(line, text)| {
        let (mark, text) = match text.strip_prefix(['!', '?']) {
            Some(rest) => (&text[..1], rest),
            None => ("", text.as_str()),
        };
        format!("{mark}{} {text}", if line == 0 { "*" } else { "|" }).trim_end().to_owned()
    });
    lines.chain(["|".to_owned()]).collect()
}

fn mercurial(at: usize, name: &str, _: bool) -> Vec<String> {
    let mark = if at == 0 { "?" } else { "" };
    vec![
        format!("!changeset:   {}:{}", 900 - at, &hash(at)[..12]),
        format!("user:        {}", AUTHORS[at % 3]),
        format!("{mark}date:        {}", date(at)),
        format!("!summary:     {}", message(at, name)),
    ]
}

/// The columns of a session of a database.
fn columns(at: usize, name: &str, is_fact: bool) -> Vec<(&'static str, String)> {
    vec![
        ("id", (5000 + at * 3).to_string()),
        ("usename", "app".to_owned()),
        ("client", format!("10.0.{at}.7:51{at:03}")),
        ("state", if is_fact { "waiting for a lock of the table".to_owned() } else { "idle".to_owned() }),
        ("seconds", if is_fact { "91200".to_owned() } else { (at % 60).to_string() }),
        ("query", format!("SELECT part FROM ledger WHERE name = '{name}'")),
    ]
}

fn mysql(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let head = format!("!*************************** {}. row ***************************", at + 1);
    let rows = columns(at, name, is_fact).into_iter().map(|(key, value)| {
        let mark = if key == "id" {
            "!"
        } else if key == "state" {
            fact(is_fact)
        } else {
            ""
        };
        format!("{mark}{key:>10}: {value}")
    });
    std::iter::once(head).chain(rows).collect()
}

fn psql(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let head = format!("!-[ RECORD {} ]-------------------------------------------", at + 1);
    let rows = columns(at, name, is_fact).into_iter().map(|(key, value)| {
        let mark = if key == "id" {
            "!"
        } else if key == "state" {
            fact(is_fact)
        } else {
            ""
        };
        format!("{mark}{key:<10} | {value}")
    });
    std::iter::once(head).chain(rows).collect()
}

fn sqlite(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let first = format!("!      name = {name}");
    let rows = columns(at, name, is_fact).into_iter().map(|(key, value)| {
        format!("{}{key:>10} = {value}", if key == "state" { fact(is_fact) } else { "" })
    });
    std::iter::once(first).chain(rows).collect()
}

fn entry(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let license = if is_fact { "none, it is not free" } else { "MIT" };
    vec![
        format!("!Name: {name}"),
        format!("Version: 1.{at}.0"),
        "Summary: a part of the ledger".to_owned(),
        format!("Home-page: https://example.org/{name}"),
        format!("{}License: {license}", fact(is_fact)),
        "Location: /usr/lib/site".to_owned(),
    ]
}

fn yaml_item(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let reason = if is_fact { "MinimumReplicasUnavailable" } else { "MinimumReplicasAvailable" };
    vec![
        "!- apiVersion: apps/v1".to_owned(),
        "  kind: StatefulSet".to_owned(),
        "  metadata:".to_owned(),
        "    labels:".to_owned(),
        format!("      app: {name}"),
        format!("!    name: {name}"),
        "    namespace: harbor".to_owned(),
        "  spec:".to_owned(),
        format!("    replicas: {}", at % 3 + 1),
        "    template:".to_owned(),
        "      containers:".to_owned(),
        format!("      - image: example.org/{name}:1.{at}"),
        "        name: main".to_owned(),
        "  status:".to_owned(),
        "    conditions:".to_owned(),
        format!("{}    - reason: {reason}", fact(is_fact)),
        "      type: Available".to_owned(),
    ]
}

fn yaml_plain(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    vec![
        format!("!- name: {name}"),
        format!("  host: 10.0.{at}.7"),
        format!("{}  enabled: {}", fact(is_fact), !is_fact),
        "  region: north".to_owned(),
        format!("  port: {}", 8000 + at),
    ]
}

fn yaml_document(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    vec![
        "!---".to_owned(),
        "apiVersion: v1".to_owned(),
        "!kind: Service".to_owned(),
        "metadata:".to_owned(),
        format!("!  name: {name}"),
        "spec:".to_owned(),
        format!("{}  type: {}", fact(is_fact), if is_fact { "LoadBalancer" } else { "ClusterIP" }),
        "  ports:".to_owned(),
        format!("  - port: {}", 8000 + at),
    ]
}

fn terraform(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let _ = at;
    let action = if is_fact { "must be replaced" } else { "will be updated in-place" };
    let change = if is_fact {
        "encrypted = false -> true # forces replacement"
    } else {
        "release = \"31.5\" -> \"31.6\""
    };
    vec![
        format!("!  # aws_instance.{name} {action}"),
        format!("  ~ resource \"aws_instance\" \"{name}\" {{"),
        format!("        id = \"i-{}\"", &hash(at)[..12]),
        format!("{}      ~ {change}", fact(is_fact)),
        "        # (31 unchanged attributes hidden)".to_owned(),
        "    }".to_owned(),
    ]
}
