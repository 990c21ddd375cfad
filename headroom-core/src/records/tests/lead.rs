//! Texts of programs that print the same kinds of lines again and again, without a header that looks like one.

use super::samples::{RecordStyle, fact};

fn named(_: usize, name: &str) -> String {
    name.to_owned()
}

const fn style(name: &'static str, lines: fn(usize, &str, bool) -> Vec<String>, parted: bool) -> RecordStyle {
    RecordStyle { name, lines, id: named, around: (&[], &[]), parted }
}

pub(super) fn lead() -> Vec<RecordStyle> {
    vec![
        style("attributes of files", attributes, false),
        style("a line of each host", host, false),
        style("a line of each minion", minion, false),
        style("pools", pool, true),
        style("tables with titles", described, true),
        style("versions below names", version, false),
        style("packages with sources", policy, false),
        style("dishes", dish, true),
        style("addresses", address, true),
    ]
}

fn attributes(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let mode = if is_fact { "4755/-rwsr-xr-x" } else { "0644/-rw-r--r--" };
    vec![
        format!("!  File: /var/lib/{name}"),
        format!("  Size: {}\tBlocks: 8          IO Block: 4096   regular file", 700 + at * 13),
        format!("Device: 254,1\tInode: {}      Links: 1", 9000 + at),
        format!("{}Access: ({mode})  Uid: (    0/    root)", fact(is_fact)),
        format!("Modify: 2031-04-{:02} 10:00:00.000000000 +0000", 1 + at % 3),
        format!(" Birth: 2031-04-{:02} 10:00:00.000000000 +0000", 1 + at % 3),
    ]
}

fn host(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let load = if is_fact {
        "ERROR: no answer after 30 s".to_owned()
    } else {
        format!("load {}.{}", at % 3, at % 7)
    };
    vec![
        format!("!{name}.example.org"),
        format!("{} 12:{:02}:01 up {} days, {load}", fact(is_fact), at % 60, 3 + at % 90),
    ]
}

fn minion(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let state = if is_fact { "FAILED: disk is full" } else { "in sync" };
    vec![format!("!{name}:"), format!("{}    07:{:02}:44 {state}, {} files", fact(is_fact), at % 60, at * 3)]
}

fn pool(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let errors = if is_fact { "FATAL: 14 errors of data" } else { "No known errors of data" };
    vec![
        format!("!  pool: {name}"),
        " state: ONLINE".to_owned(),
        format!("  scan: repaired 0B in 0{}:10:00 with 0 errors", at % 9),
        "config:".to_owned(),
        String::new(),
        "\tNAME        STATE     READ WRITE CKSUM".to_owned(),
        format!("\t{name}       ONLINE       0     0     0"),
        format!("\t  disk-{at}    ONLINE       0     0     0"),
        String::new(),
        format!("{}errors: {errors}", fact(is_fact)),
    ]
}

fn described(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let index = if is_fact { "INVALID, failed to build" } else { "btree (id)" };
    let mut lines = vec![
        format!("!                    Table \"shop.{name}\""),
        "  Column  |     Type      | Nullable".to_owned(),
        "----------+---------------+----------".to_owned(),
        " id       | integer       | not null".to_owned(),
    ];
    lines.extend((0..at % 4).map(|column| format!(" part_{column}   | numeric(10,2) | ")));
    lines.extend(["Indexes:".to_owned(), format!("{}    \"pkey_{at}\" PRIMARY KEY, {index}", fact(is_fact))]);
    lines
}

fn version(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let rest = if is_fact { "-fatal-error" } else { "-1" };
    vec![format!("!lib{name}"), format!("{}{}.{}.0{rest}", fact(is_fact), 1 + at % 7, at % 23)]
}

fn policy(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let mut lines = vec![
        format!("!{name}:"),
        format!("  Installed: {}.{}-1", 1 + at % 5, at % 9),
        format!("  Candidate: {}.{}-1", 1 + at % 5, at % 9),
        "  Version table:".to_owned(),
        format!(" *** {}.{}-1 500", 1 + at % 5, at % 9),
        "        500 http://mirror.example.org/main Packages".to_owned(),
    ];
    if is_fact {
        lines.push("?        500 http://mirror.example.org/security ERROR: expired Packages".to_owned());
    }
    lines
}

fn dish(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let herb = if is_fact { "warning: peanuts" } else { "salt" };
    let mut lines =
        vec![format!("!{name} stew"), format!("Serves {}. {} minutes.", 2 + at % 5, 10 + at % 50)];
    lines.extend([format!("- {} g flour", 100 + at), format!("- {} eggs", 1 + at % 4)]);
    lines.push(format!("{}- {herb}", fact(is_fact)));
    lines
}

fn address(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let phone = if is_fact { "ERROR: unreachable".to_owned() } else { format!("{}", 630_000_000 + at * 977) };
    vec![
        format!("!{name} Miller"),
        format!("{} Lemon Street", 3 + at),
        format!("{} Harbor", 40_000 + at * 7),
        String::new(),
        format!("{}Phone: {phone}", fact(is_fact)),
    ]
}
