use proptest::prelude::*;

use super::{super::trial, *};
use crate::{compress::shared_texts, formats::table::share};

fn both(text: &str, query: &Query<'_>) -> String {
    let rendered = render(text);
    let text = rendered.as_deref().unwrap_or(text);
    let found = gaps(text, query);
    trial::check(text, &found);
    trial::elided(text, &found)
}

fn asking(question: &str) -> Query<'_> {
    Query { question: Some(question), ..Query::default() }
}

fn pods(count: usize) -> String {
    let mut out = format!(
        "{:<14} {:<38} {:<7} {:<20} {:<16} {}\n",
        "NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"
    );
    for n in 0..count {
        let space = ["default", "kube-system", "monitoring"][n % 3];
        let name = format!("service-{n}-{:x}-{:x}", n * 7919, n * 31);
        out +=
            &format!("{space:<14} {name:<38} {:<7} {:<20} {:<16} {}d\n", "1/1", "Running", "0", n % 30 + 1);
    }
    out
}

fn ls(count: usize) -> String {
    let mut out = format!("total {}\n", count * 4);
    for n in 0..count {
        let (day, size) = (n % 28 + 1, n * n * 13 % 9000);
        out += &format!("-rw-r--r--  1 root root {size:>6} Oct {day:>2}  2024 module_{n}.py\n");
    }
    out
}

fn ps(count: usize) -> String {
    let mut out = "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n".to_owned();
    for n in 0..count {
        let user = ["root", "www-data", "postgres"][n % 3];
        out += &format!(
            "{user:<10} {:>5}  0.0  0.{} {:>6} {:>5} ?        Ss   10:{:02}   0:00 /usr/sbin/daemon --id {n}\n",
            n * 17 + 1,
            n % 9,
            100_000 + n * 37,
            4000 + n * 11,
            n % 60
        );
    }
    out
}

fn docker(count: usize) -> String {
    let mut out =
        format!("{:<15}{:<20}{:<22}{:<25}{}\n", "CONTAINER ID", "IMAGE", "STATUS", "PORTS", "NAMES");
    for n in 0..count {
        let ports = if n % 2 == 0 { format!("0.0.0.0:{}->80/tcp", 8000 + n) } else { String::new() };
        out += &format!(
            "{:<15x}{:<20}{:<22}{ports:<25}app_{n}\n",
            n * 123_457 + 0xabcdef,
            "nginx:1.25",
            format!("Up {} hours", n % 9 + 2)
        );
    }
    out
}

fn psql(count: usize) -> String {
    let mut out = "  id  |    name    |  state   \n------+------------+----------\n".to_owned();
    for n in 0..count {
        out += &format!(" {n:>4} | user_{n:<5} | {:<8} \n", ["active", "idle"][n % 2]);
    }
    out + &format!("({count} rows)\n")
}

#[test]
fn padding_goes_and_comes_back() {
    for (name, text) in
        [("pods", pods(60)), ("ls", ls(60)), ("ps", ps(60)), ("docker", docker(60)), ("psql", psql(60))]
    {
        let short = render(&text).unwrap_or_else(|| panic!("{name}"));
        println!(
            "{name}: {} -> {}\n{}",
            trial::tokens(&text),
            trial::tokens(&short),
            short.lines().take(4).collect::<Vec<_>>().join("\n")
        );
        assert_eq!(expand(&short), text, "{name}\n{short}");
        assert!(share(&text) >= 90, "{name}: {}", share(&text));
        assert!(trial::tokens(&short) * 100 <= trial::tokens(&text) * 95, "{name}");
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(expand(&render(&crlf).unwrap()), crlf, "{name}");
        assert_eq!(expand(&render(text.trim_end()).unwrap()), text.trim_end(), "{name}");
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_texts_come_back() {
    for (path, text) in shared_texts("corpora").into_iter().chain(shared_texts("captures")) {
        if let Some(short) = render(&text) {
            assert_eq!(expand(&short), text, "{}", path.display());
            println!(
                "{:>3} {} -> {} {}",
                share(&text),
                trial::tokens(&text),
                trial::tokens(&short),
                path.display()
            );
        }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn what_agents_used_later_stays_visible() {
    let form = |text: &str, query: &Query<'_>| (share(text) >= 60).then(|| both(text, query));
    let tally = trial::conversations(form);
    assert!(tally.visible * 100 >= tally.needles * 99, "{tally:?}");
}

#[test]
fn rows_of_trouble_and_rows_that_were_named_stay() {
    let text = pods(400).replace("service-77-", "payment-77-");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[120] = lines[120].replacen("Running         ", "CrashLoopBackOff", 1);
    lines[201] = lines[201].replacen("1/1", "0/1", 1);
    lines[300] = lines[300].replacen(" 0  ", " 17 ", 1);
    let text = lines.join("\n");
    for text in [text.clone(), render(&text).unwrap()] {
        let query = asking("Why is payment-77 slow?");
        let found = gaps(&text, &query);
        trial::check(&text, &found);
        let out = trial::elided(&text, &found);
        for part in ["NAMESPACE", "payment-77-", "CrashLoopBackOff", "0/1", " 17 ", "service-399-"] {
            assert!(out.contains(part), "{part}:\n{out}");
        }
        assert!(out.len() * 8 < text.len(), "{out}");
        assert!(out.contains("rows: ") && out.contains(" Running"), "{out}");
    }
    let pod = format!("service-222-{:x}-{:x}", 222 * 7919, 222 * 31);
    let call = format!("kubectl get pods -A | grep -v {pod}");
    let call = Query { arguments: Some(&call), ..Query::default() };
    assert!(both(&pods(400), &call).contains(&pod));
}

#[test]
fn other_texts_have_no_columns() {
    let code = "fn main() {\n    let a = 1;\n    let bcd = 22;\n    call(a, bcd);\n    // text\n    done();\n    x\n    y\n}\n".repeat(4);
    let prose =
        "The quick brown fox jumps over it all\nand then some more words come along here\n".repeat(20);
    for text in [code, prose] {
        assert_eq!((share(&text), render(&text)), (0, None));
    }
}

fn row() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => ("[a-c]{1,6}", "[a-c ]{0,4}", 0_u32..9999, "[a-c  é]{0,6}")
            .prop_map(|(a, b, c, d)| format!("{a:<8}{b:<6}{c:>5}  {d}")),
        1 => Just(String::new()),
        1 => Just("[columns were at 0,8]".to_owned()),
        1 => "\\PC{0,20}",
    ]
}

proptest! {
    #[test]
    fn taking_padding_out_is_reversible(lines in proptest::collection::vec((row(), "\r?\n"), 0..60), last in row()) {
        let mut text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        text.push_str(&last);
        if let Some(short) = render(&text) {
            prop_assert!(short.len() < text.len());
            prop_assert_eq!(expand(&short), text);
        }
    }

    #[test]
    fn clean_tables_come_back(
        rows in proptest::collection::vec(("[a-c]{0,7}", "[a-c ]{0,4}", 0_u32..99_999, "[a-c ]{0,9}"), 8..60),
        odd in "\\PC{0,20}",
    ) {
        let mut text: String = rows.into_iter().map(|(a, b, c, d)| format!("{a:<8}{b:<9}{c:>8}  {d}\n")).collect();
        text.push_str(&odd);
        if let Some(short) = render(&text) {
            prop_assert_eq!(expand(&short), text);
        }
    }

    #[test]
    fn gaps_are_whole_lines_of_any_text(
        lines in proptest::collection::vec((row(), "\r?\n"), 0..60),
        times in 1_usize..20,
        question in "[a-d]{0,3}",
    ) {
        let text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        let text = text.repeat(times);
        trial::check(&text, &gaps(&text, &asking(&question)));
        prop_assert!(share(&text) <= 100);
    }
}

#[test]
fn a_row_with_a_remark_stays() {
    for (remark, at) in [(": gone]", 71), (": ahead 3, behind 1]", 40)] {
        let rows: Vec<String> = (0..150)
            .map(|n| {
                let name = format!("topic/quill-{n}");
                let end = if n == at { remark } else { "]" };
                let subject = ["Let the ledger balance", "Count parts", "Write in one go"][n % 3];
                format!("  {name:<28} {:08x} [origin/{name}{end} {subject} of part {n}", n * 7_919_777)
            })
            .collect();
        let out = both(&rows.join("\n"), &Query::default());
        assert!(out.contains(remark), "{out}");
        assert!(out.contains("[headroom:"), "{out}");
    }
}

#[test]
fn a_word_that_one_row_alone_has_in_its_last_cell_stays() {
    let mut text = format!("{:<22}{:<12}{:<10}{}\n", "NAME", "READY", "AGE", "NOTE");
    for n in 0..140 {
        let note = if n == 77 { "volume detached" } else { ["volume bound", "volume ready"][n % 2] };
        text += &format!(
            "{:<22}{:<12}{:<10}{note}\n",
            format!("disk-{n}-{:x}", n * 7919),
            "1/1",
            format!("{}d", n % 40 + 1)
        );
    }
    let out = both(&text, &Query::default());
    assert!(out.contains("detached"), "{out}");
}

#[test]
fn what_continues_a_row_stays_with_it() {
    let mut text = format!("{:<24}{:<14}{:<12}{}\n", "NAME", "STATE", "NODE", "MESSAGE");
    for n in 0..120 {
        let name = format!("job-{n}-{:x}", n * 7919);
        text += &format!("{name:<24}{:<14}{:<12}ran to its end\n", "Complete", format!("node-{}", n % 5));
        if n == 66 {
            text += &format!("{:<24}{:<14}{:<12}but kestrel was refused\n", "", "", "");
        }
    }
    let out = both(&text, &asking("What about kestrel?"));
    let before = &out[..out.find("kestrel").unwrap()];
    assert!(before.lines().rev().nth(1).is_some_and(|row| row.contains("job-66-")), "{out}");
}

/// A table whose cells have one to three lines, between bars or not.
fn of_several_lines(is_framed: bool) -> String {
    let row = |cells: [&str; 3]| match is_framed {
        true => {
            format!("\u{2502} {:<8} \u{2502} {:<26} \u{2502} {:<6} \u{2502}\n", cells[0], cells[1], cells[2])
        }
        false => format!("{:<8}  {:<26}  {:<6}\n", cells[0], cells[1], cells[2]),
    };
    let mut out = row(["id", "note", "state"]);
    for n in 0..80 {
        let state = if n % 3 == 0 { "open" } else { "paid" };
        out += &row([&format!("{}", 1000 + n * 7), &format!("the first line of {n}"), state]);
        out.extend((0..n % 3).map(|line| row(["", &format!("line {line} below {}", n * 13), ""])));
    }
    out
}

#[test]
fn lines_of_a_cell_stay_with_their_row() {
    for is_framed in [true, false] {
        let text = of_several_lines(is_framed);
        let query = asking("What is in line 1 below 455?");
        let found = gaps(&text, &query);
        trial::check(&text, &found);
        let out = trial::elided(&text, &found);
        assert!(out.contains("1245") && out.contains("line 1 below 455"), "{out}");
        let is_first = |line: &&str| -> bool { line.contains("the first line of") };
        for gap in &found {
            let hidden = &text[gap.range.clone()];
            assert!(hidden.lines().next().as_ref().is_some_and(is_first), "a gap begins within a row\n{out}");
            let rows = hidden.lines().filter(is_first).count();
            assert!(gap.summary.starts_with(&format!("{rows} rows: ")), "{} for {rows}", gap.summary);
            let of = |state: &str| hidden.lines().filter(|line| line.contains(state)).count();
            let (open, paid) = (of("open"), of("paid"));
            assert!(gap.summary.contains(&format!("{paid} paid")), "{}", gap.summary);
            assert!(open == 0 || gap.summary.contains(&format!("{open} open")), "{}", gap.summary);
        }
    }
}

#[test]
fn rows_of_one_name_are_counted_as_lines() {
    let mut text = "region      kind        sum      mean\n".to_owned();
    for n in 0..120 {
        let region = if n % 2 == 0 || n % 7 == 0 { format!("region-{n}") } else { String::new() };
        text += &format!("{region:<12}kind-{:<7}{:>3}  {:>8}\n", n % 5, 100 + n % 9, 1000 + n % 11);
    }
    let found = gaps(&text, &Query::default());
    assert!(!found.is_empty() && found.iter().all(|gap| gap.summary.ends_with(" lines")), "{found:?}");
}

#[test]
fn names_of_columns_stay_wherever_they_stand() {
    let header = " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy\n";
    let row = |n: usize| {
        format!(
            "{:>2}  0      0 {:>6} {:>6} {:>6}    0    0 {:>5} {:>5} {:>4} {:>4} {:>2} {:>2}\n",
            n % 7,
            300_000 + n * 7,
            900 + n % 9,
            70_000 + n,
            n % 90,
            n % 80,
            n % 70,
            n % 60,
            n % 40,
            n % 9
        )
    };
    let mut text = "df: /mnt/a: Permission denied\n".repeat(6);
    for n in 0..200 {
        text += &if n % 50 == 0 { format!("{header}{}", row(n)) } else { row(n) };
    }
    let found = gaps(&text, &Query::default());
    let out = trial::elided(&text, &found);
    assert_eq!(out.matches(header.trim_end()).count(), 4, "{out}");
    assert!(!found.is_empty() && found.iter().all(|gap| gap.summary.ends_with(" rows")), "{found:?}");
}
