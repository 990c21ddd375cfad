//! Facts that lines of many texts tell of something that another line names, and what selection shows of them.

mod groups;
mod judge;
mod lead;
mod samples;

use groups::groups;
use judge::{fault, is_shown, shown};
use lead::lead;
use samples::{Sample, records, sections};

/// Every form, with some counts and sizes.
fn all() -> Vec<(String, Sample)> {
    let sizes = [(4, 40), (7, 23), (19, 12)];
    let sectioned = sizes.into_iter().flat_map(|(count, size)| {
        sections()
            .into_iter()
            .map(move |style| (style.label(count), style.sample(count, size, 1 + count / 2)))
    });
    let recorded = [12, 37, 140].into_iter().flat_map(|count| {
        records()
            .into_iter()
            .chain(groups())
            .chain(lead())
            .map(move |style| (format!("{} x{count}", style.name), style.sample(count, count * 2 / 3)))
    });
    sectioned.chain(recorded).collect()
}

/// Checks each form as `change` makes it.
fn check_all(has_fact: bool, change: impl Fn(&Sample) -> Vec<Sample>) {
    check_these(all(), has_fact, change);
}

fn check_these(all: Vec<(String, Sample)>, has_fact: bool, change: impl Fn(&Sample) -> Vec<Sample>) {
    let mut faults = Vec::new();
    let mut marked = 0;
    let mut all_changed = 0;
    for (name, sample) in all {
        for changed in change(&sample) {
            let out = shown(&changed.text());
            marked += usize::from(out.contains("[headroom:"));
            all_changed += 1;
            faults.extend(fault(&name, &changed, &out).map(|fault| (fault, out.clone())));
            if has_fact && !is_shown(&changed, changed.planted, &out) {
                faults.push((format!("{name}: the fact is hidden"), out));
            }
        }
    }
    for (fault, out) in faults.iter().take(3) {
        println!("{fault}\n{out}");
    }
    let faults: Vec<&String> = faults.iter().map(|(fault, _)| fault).collect();
    assert!(faults.is_empty(), "{}: {faults:#?}", faults.len());
    assert!(marked * 4 > all_changed * 3, "only {marked} of {all_changed} were shortened");
}

#[test]
fn what_stays_stays_with_its_owner() {
    check_all(true, |sample| vec![sample.clone()]);
}

#[test]
fn the_order_of_records_does_not_matter() {
    check_all(true, |sample| vec![sample.turned()]);
}

#[test]
fn a_time_before_every_line_does_not_matter() {
    check_all(true, |sample| vec![sample.stamped()]);
}

#[test]
fn a_text_that_was_cut_is_read_as_far_as_it_goes() {
    // Where lines come again and again, a cut start does not show which of them comes first.
    let leads: Vec<&str> = lead().iter().map(|style| style.name).collect();
    let is_lead = |name: &str| leads.iter().any(|lead| name.starts_with(lead));
    let others = all().into_iter().filter(|(name, _)| !is_lead(name)).collect();
    check_these(others, false, |sample| {
        [0.1, 0.35, 0.6].into_iter().flat_map(|part| [sample.from(part), sample.until(1.0 - part)]).collect()
    });
}

/// A text that was cut within its first record, as by `tail`.
#[test]
fn the_rest_of_a_record_that_lost_its_start_is_given_to_no_other() {
    let mut faults = Vec::new();
    let mut marked = 0;
    for style in records().into_iter().chain(groups()).chain(lead()) {
        let sample = style.sample(37, 24);
        for lost in 0..14 {
            let tail = sample.from((f64::from(lost) + 0.5) / sample.lines.len() as f64);
            let out = shown(&tail.text());
            marked += usize::from(out.contains("[headroom:"));
            faults.extend(fault(style.name, &tail, &out).map(|fault| format!("{lost} lost: {fault}")));
        }
    }
    assert!(faults.is_empty() && marked > 300, "{marked} with gaps, {}: {faults:#?}", faults.len());
}

#[test]
fn functions_stay_below_the_section_that_they_are_in() {
    let section = |name: &str| format!("Disassembly of section {name}:\n\n");
    let function =
        |at: usize| format!("{at:016x} <f{at}>:\n  {at:x}:\tff 25 {at:02x}\tjmp\n  {at:x}:\tc3\tret\n\n");
    let of = |from: usize, to: usize| (from..to).map(function).collect::<String>();
    let text = format!("{}{}{}{}", section(".init"), of(1, 2), section(".plt"), of(20, 90));
    let out = shown(&text);
    assert!(out.contains("[headroom:"), "{out}");
    let line = |what: &str| out.lines().position(|line| line.starts_with(what));
    assert!(line("Disassembly of section .plt:") < line(&function(89)[..16]), "{out}");
    assert!(line("Disassembly of section .plt:").is_some(), "{out}");
}

/// Lines of a file, each with the hash of its commit; what a commit is stands only where its hash comes first.
#[test]
fn a_line_stays_with_what_is_told_once_of_its_commit() {
    let hash = |commit: usize| format!("{:040x}", (commit + 11) * 0x9e37_79b9);
    let mut lines = Vec::new();
    for line in 0..400 {
        let commit = line / 7 * 5 % 23;
        let head = format!("{} {} {}", hash(commit), line + 1, line + 1);
        let is_first = (0..line).all(|other| other / 7 * 5 % 23 != commit);
        lines.push((commit, head));
        if is_first {
            lines.push((commit, format!("author Author {commit}")));
            lines.push((commit, format!("summary Let part {commit} be")));
        }
        let text = if line == 250 {
            "panic!(\"fatal error\")".to_owned()
        } else {
            format!("let part = {};", line % 9)
        };
        lines.push((commit, format!("\t{text}")));
    }
    let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    let out = shown(&text);
    assert!(out.len() * 3 < text.len() && out.contains("\tpanic!"), "{out}");
    let shown: Vec<&str> = out.lines().filter(|line| !line.starts_with("[headroom:")).collect();
    let mut heads = 0;
    for head in shown.iter().filter(|line| line.starts_with('0')) {
        let (commit, _) = lines.iter().find(|(_, line)| line == head).unwrap();
        let author = format!("author Author {commit}");
        assert!(shown.contains(&author.as_str()), "`{head}` without `{author}`\n{out}");
        heads += 1;
    }
    assert_eq!(
        heads,
        shown.iter().filter(|line| line.starts_with('\t')).count(),
        "each line has its head\n{out}"
    );
}

#[test]
fn a_branch_of_a_tree_stays_with_those_it_hangs_from() {
    let mut lines = vec!["harbor@1.0.0 /work/harbor".to_owned()];
    for at in 0..40 {
        lines.push(format!("├─┬ dock-{at}@1.{at}.0"));
        lines.extend((0..5).map(|ship| format!("│ ├── ship-{at}-{ship}@2.0.{ship} deduped")));
        lines.push(format!("│ └─┬ pier-{at}@3.0.0"));
        let fault = if at == 23 { " UNMET DEPENDENCY error" } else { "" };
        lines.push(format!("│   └── lamp-{at}@4.1.0{fault}"));
    }
    let text = lines.join("\n") + "\n";
    let out = shown(&text);
    assert!(out.contains("UNMET DEPENDENCY") && out.contains("[headroom:"), "{out}");
    let mut open: Vec<&str> = Vec::new();
    for line in &lines {
        let depth = line.chars().take_while(|c| !c.is_ascii_alphanumeric()).count() / 2;
        open.truncate(depth.saturating_sub(1));
        if out.lines().any(|shown| shown == line) {
            assert!(
                open.iter().all(|above| out.lines().any(|shown| shown == *above)),
                "`{line}` alone\n{out}"
            );
        }
        open.push(line);
    }
}

#[test]
fn gaps_count_records_in_their_own_terms() {
    for (style, noun) in
        [("git log", "commits"), ("mysql", "rows"), ("yaml list", "items"), ("terraform", "resources")]
    {
        let style = records().into_iter().find(|found| found.name == style).unwrap();
        let out = shown(&style.sample(40, 20).text());
        assert!(out.contains(&format!(" {noun}: ")), "{out}");
    }
}
