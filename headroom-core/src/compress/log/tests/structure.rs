//! What lines need of others, what repeats, and breaks in sequences.

use super::*;

/// A log with a beat every `step` seconds.
fn beats(count: usize, step: usize) -> Vec<String> {
    let line = |n: usize| {
        let at = n * step;
        let (hour, minute, second) = (at / 3600, at / 60 % 60, at % 60);
        format!(
            "2031-04-09 {hour:02}:{minute:02}:{second:02},250 DEBUG beat of pier-4 number={n} lag={}ms",
            n % 5
        )
    };
    (0..count).map(line).collect()
}

#[test]
fn both_sides_of_a_silence_stay() {
    let lines = beats(900, 4);
    let kept: Vec<&String> = lines[..400].iter().chain(&lines[700..]).collect();
    let text = kept.iter().map(|line| format!("{line}\n")).collect::<String>();
    let out = shown(&text, &Query::default());
    assert!(out.contains(&lines[399]) && out.contains(&lines[700]), "{out}");
    assert!(out.len() * 8 < text.len(), "{out}");
}

#[test]
fn a_silence_of_one_of_several_programs_stays() {
    let mut lines = Vec::new();
    for (n, line) in beats(600, 4).into_iter().enumerate() {
        let source = ["pier-1  | ", "quay-22 | ", "dock-3  | "][n % 3];
        if !(n % 3 == 1 && (200..420).contains(&n)) {
            lines.push(format!("{source}{line}"));
        }
    }
    let text = lines.join("\n");
    let out = shown(&text, &Query::default());
    let last = lines
        .iter()
        .filter(|line| line.starts_with("quay"))
        .take_while(|line| !line.contains("number=421 "))
        .last();
    for line in [last.unwrap(), lines.iter().find(|line| line.contains("number=421 ")).unwrap()] {
        assert!(out.contains(line.as_str()), "{line}\n{out}");
    }
    assert!(out.len() * 4 < text.len(), "{out}");
}

#[test]
fn both_sides_of_a_jump_of_a_counter_stay() {
    let lines: Vec<String> = (0..500)
        .map(|n| format!("DEBUG stored block seq={} in {}ms", if n < 230 { n } else { n + 57 }, n % 5))
        .collect();
    let out = shown(&lines.join("\n"), &Query::default());
    assert!(out.contains("seq=229 ") && out.contains("seq=287 "), "{out}");
}

/// The trace of one failure.
type Trace<'t> = &'t dyn Fn(usize) -> Vec<String>;

/// A service that fails in the same way again and again, in the form of some languages.
fn failures(trace: Trace<'_>) -> Vec<String> {
    (0..60)
        .flat_map(|n| {
            let minute = n;
            let ok = format!("2031-04-09T10:{minute:02}:00Z INFO order {n} stored in {} ms", n % 9);
            let failed = format!("2031-04-09T10:{minute:02}:01Z ERROR cannot serve request {n}");
            [ok, failed].into_iter().chain(trace(n))
        })
        .collect()
}

#[test]
fn a_trace_that_stands_above_is_not_shown_again() {
    let java = |n: usize| {
        let mut lines = vec!["java.lang.IllegalStateException: pool is closed".to_owned()];
        lines.extend(
            (0..14).map(|at| format!("\tat org.example.Filter{at}.call(Filter{at}.java:{})", 10 + at * 3)),
        );
        let cause = if n == 41 { "no route to pier-7 after 30 s" } else { "read timed out" };
        lines.push(format!("Caused by: java.net.SocketTimeoutException: {cause}"));
        lines.extend((0..6).map(|at| format!("\tat java.net.Socket{at}.read(Socket{at}.java:{})", 90 + at)));
        lines
    };
    let python = |n: usize| {
        let mut lines = vec!["Traceback (most recent call last):".to_owned()];
        for at in 0..8 {
            lines.push(format!("  File \"/srv/app/part{at}.py\", line {}, in step{at}", 20 + at * 7));
            lines.push(format!("    return step{}(order)", at + 1));
        }
        let cause = if n == 41 { "no route to pier-7 after 30 s" } else { "read timed out" };
        lines.push(format!("TimeoutError: {cause}"));
        lines
    };
    let go = |n: usize| {
        let cause = if n == 41 { "no route to pier-7 after 30 s" } else { "read timed out" };
        let mut lines = vec![format!("  error: {cause}"), "  goroutine 7 [running]:".to_owned()];
        lines.extend(
            (0..16).map(|at| format!("  main.step{at}(0xc000) /srv/app/part{at}.go:{}", 20 + at * 7)),
        );
        lines
    };
    let forms: [(&str, Trace<'_>); 3] = [("java", &java), ("python", &python), ("go", &go)];
    for (name, trace) in forms {
        let lines = failures(trace);
        let text = lines.join("\n");
        let out = shown(&text, &Query::default());
        for line in trace(0) {
            assert!(out.contains(&line), "{name}: {line}\n{out}");
        }
        assert!(out.contains("no route to pier-7 after 30 s"), "{name}\n{out}");
        assert!(out.contains("stored: the same "), "{name}\n{out}");
        assert!(out.len() * 3 < text.len(), "{name}: {} of {}\n{out}", out.len(), text.len());
        // Each marker names lines that are shown and equal those in its place.
        let visible: Vec<&str> = out.lines().collect();
        for gap in gaps(&text, &Query::default()) {
            let Some(of) = gap.summary.split(" lines as ").nth(1) else { continue };
            let (first, last) = of.split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            let own = &lines[gap.first as usize - 1..gap.last as usize];
            assert_eq!(own, &lines[first - 1..last], "{name}");
            assert!(own.iter().all(|line| visible.contains(&line.as_str())), "{name}");
        }
    }
}

#[test]
fn what_is_asked_for_in_a_repeated_trace_stays() {
    let trace = |n: usize| {
        let mut lines = vec!["Error: pool is closed".to_owned()];
        lines.extend((0..14).map(|at| format!("    at step{at} (/srv/app/part{at}.js:{}:7)", 20 + at)));
        if n == 30 {
            lines[9] = "    at kestrel (/srv/app/kestrel.js:9:9)".to_owned();
        }
        lines
    };
    let text = failures(&trace).join("\n");
    let out = shown(&text, &Query { question: Some("Who calls kestrel?"), ..Query::default() });
    assert!(out.contains("/srv/app/kestrel.js:9:9"), "{out}");
}

#[test]
fn tests_that_passed_are_counted() {
    const WORDS: [&str; 9] =
        ["harbor", "lantern", "quill", "meadow", "granite", "ember", "orchard", "tide", "kestrel"];
    let name = |n: usize| format!("{}_{}_{}", WORDS[n % 9], WORDS[n / 9 % 9], WORDS[(n * 5 + 3) % 9]);
    type Line = fn(&str, usize, bool) -> String;
    let runners: [(&str, Line); 8] = [
        ("unittest", |name, _, ok| {
            format!("test_{name} (a.b.C.test_{name}) ... {}", if ok { "ok" } else { "FAIL" })
        }),
        ("pytest", |name, n, ok| {
            format!("tests/test_a.py::test_{name} {} [{:>3}%]", if ok { "PASSED" } else { "FAILED" }, n / 2)
        }),
        ("cargo", |name, _, ok| format!("test part::{name} ... {}", if ok { "ok" } else { "FAILED" })),
        ("go", |name, _, ok| format!("--- {}: Test_{name} (0.00s)", if ok { "PASS" } else { "FAIL" })),
        ("jest", |name, n, ok| format!("    {} {name} ({n} ms)", if ok { "✓" } else { "✕" })),
        ("tap", |name, n, ok| format!("{}ok {} - {name}", if ok { "" } else { "not " }, n + 1)),
        ("gtest", |name, n, ok| {
            format!("[{}] Part.{name} ({n} ms)", if ok { "       OK " } else { "  FAILED  " })
        }),
        ("ctest", |name, n, ok| {
            format!(
                "{:>3}/200 Test #{n}: {name} ....   {}    0.01 sec",
                n + 1,
                if ok { "Passed " } else { "***Failed" }
            )
        }),
    ];
    for (runner, line) in runners {
        for prefix in ["", "2031-04-09T10:00:00.1234567Z ", "build\tRun tests\t2031-04-09T10:00:00.1234567Z "]
        {
            let lines: Vec<String> =
                (0..200).map(|n| format!("{prefix}{}", line(&name(n), n, n != 117))).collect();
            let text = lines.join("\n");
            let out = shown(&text, &Query::default());
            assert!(out.contains(&lines[117]), "{runner}: {out}");
            assert!(out.contains(" passed tests; "), "{runner}: {out}");
            assert!(out.len() * 8 < text.len(), "{runner}: {} of {}\n{out}", out.len(), text.len());
        }
    }
}

#[test]
fn a_result_below_the_description_of_a_test_keeps_its_name() {
    let mut lines = Vec::new();
    for n in 0..90 {
        lines.push(format!("test_part_{n} (a.b.C.test_part_{n})"));
        lines.push(format!("The part {n} is balanced. ... {}", if n == 50 { "FAIL" } else { "ok" }));
    }
    let out = shown(&lines.join("\n"), &Query::default());
    assert!(out.contains(&lines[100]) && out.contains(&lines[101]), "{out}");
}

#[test]
fn steps_of_a_build_keep_the_line_that_names_them() {
    let mut lines = Vec::new();
    for step in 4..12 {
        lines.push(format!("#{step} [{}/9] RUN make part-{step}", step - 3));
        lines.extend(
            (0..30).map(|n| format!("#{step} {n}.{step}21 compiled unit {n} of part in {} ms", n % 7)),
        );
        lines.push(format!("#{step} DONE 31.4s"));
    }
    lines[150] = lines[150].replace("compiled unit", "error: undefined symbol in unit");
    let out = shown(&lines.join("\n"), &Query::default());
    let step = lines[150].split(' ').next().unwrap();
    let head = lines.iter().find(|line| line.starts_with(&format!("{step} [")));
    assert!(out.contains(&lines[150]) && out.contains(head.unwrap()), "{out}");
}

#[test]
fn nested_headers_stay_together() {
    let mut lines = Vec::new();
    for play in ["web", "db", "cache"] {
        lines.extend(["".to_owned(), format!("PLAY [{play} servers] ******************")]);
        for task in ["install packages", "copy files", "start services"] {
            lines.extend(["".to_owned(), format!("TASK [{task}] *************************")]);
            lines.extend((0..14).map(|n| format!("ok: [{play}-{n}.example.org]")));
        }
    }
    let failed = lines.iter().position(|line| line == "ok: [db-9.example.org]").unwrap();
    lines[failed] = "fatal: [db-9.example.org]: FAILED! => no space left".to_owned();
    let out = shown(&lines.join("\n"), &Query::default());
    let before = &out[..out.find("fatal: ").unwrap()];
    assert!(before.rfind("TASK [install packages]") > before.rfind("PLAY [db servers]"), "{out}");
    assert!(before.rfind("PLAY [db servers]") > before.rfind("PLAY [web servers]"), "{out}");
}

#[test]
fn commits_of_several_repositories_stay_with_theirs() {
    let mut lines = Vec::new();
    for repository in ["ledger", "harbor", "quill"] {
        lines.push(format!("==> {repository} <=="));
        for n in 0..20 {
            let hash = format!("{repository}{n}")
                .bytes()
                .fold(7_u64, |h, b| h.wrapping_mul(0x0100_0000_01b3) ^ u64::from(b));
            lines.extend([
                format!("commit {hash:016x}{hash:016x}{:08x}", n * 77),
                "Author: Ada Quill <ada@example.org>".to_owned(),
                format!("Date:   Mon Apr {} 10:00:00 2031 +0200", n % 28 + 1),
                String::new(),
                format!("    Let part {n} of the {repository} say why it is refused"),
                String::new(),
            ]);
        }
    }
    let out = shown(&lines.join("\n"), &Query::default());
    let mut owner = "";
    for line in out.lines() {
        owner = line.strip_prefix("==> ").map_or(owner, |name| name.trim_end_matches(" <=="));
        if line.starts_with("    Let part ") {
            assert!(line.contains(&format!(" {owner} ")), "{line} below {owner}\n{out}");
        }
    }
    assert!(out.contains(" commits: "), "{out}");
}

#[test]
fn suites_in_which_all_passed_are_counted() {
    const WORDS: [&str; 9] =
        ["harbor", "lantern", "quill", "meadow", "granite", "ember", "orchard", "tide", "kestrel"];
    let mut lines = Vec::new();
    for file in 0..14 {
        let failed = file == 9;
        lines.push(format!("{} src/{}{file}.test.ts", if failed { "FAIL" } else { "PASS" }, WORDS[file % 9]));
        for suite in 0..3 {
            lines.push(format!("  {} of {}", WORDS[(file + suite) % 9], WORDS[(file * 4 + suite) % 9]));
            for n in 0..7 {
                let mark = if failed && suite == 1 && n == 3 { "✕" } else { "✓" };
                lines.push(format!(
                    "    {mark} {} keeps {} {n} ({n} ms)",
                    WORDS[(n + file) % 9],
                    WORDS[(n * 5 + suite) % 9]
                ));
            }
        }
    }
    lines.extend(["".to_owned(), "Tests: 1 failed, 293 passed, 294 total".to_owned()]);
    let text = lines.join("\n");
    let out = shown(&text, &Query::default());
    let failed = lines.iter().position(|line| line.contains('✕')).unwrap();
    for line in [&lines[failed], &lines[failed - 4], &lines[failed - 4 - 8]] {
        assert!(out.contains(line.as_str()), "{line}\n{out}");
    }
    assert!(out.len() * 4 < text.len(), "{} of {}\n{out}", out.len(), text.len());
}
