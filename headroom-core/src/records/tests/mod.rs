//! Facts that lines of many texts tell of something that another line names, and what selection shows of them.

mod groups;
mod judge;
mod samples;

use groups::groups;
use judge::{fault, is_shown, shown};
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
            .map(move |style| (format!("{} x{count}", style.name), style.sample(count, count * 2 / 3)))
    });
    sectioned.chain(recorded).collect()
}

/// Checks each form as `change` makes it.
fn check_all(has_fact: bool, change: impl Fn(&Sample) -> Vec<Sample>) {
    let mut faults = Vec::new();
    let mut marked = 0;
    let mut all_changed = 0;
    for (name, sample) in all() {
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
    check_all(false, |sample| {
        [0.1, 0.35, 0.6].into_iter().flat_map(|part| [sample.from(part), sample.until(1.0 - part)]).collect()
    });
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
