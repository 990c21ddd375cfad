use proptest::prelude::*;

use super::{super::trial, *};
use crate::compress::shared_texts;

fn both(text: &str, wanted: &Wanted<'_>) -> String {
    let rendered = render(text);
    let text = rendered.as_deref().unwrap_or(text);
    let found = gaps(text, wanted);
    trial::check(text, &found);
    trial::elided(text, &found)
}

#[test]
fn real_texts_come_back() {
    for (path, text) in shared_texts("corpora").into_iter().chain(shared_texts("captures")) {
        if let Some(short) = render(&text) {
            assert_eq!(carry::expand(&short), text, "{}", path.display());
        }
    }
}

fn of_kind(text: &str) -> bool {
    share(text) >= 60
}

#[test]
fn real_results_shrink_and_keep_their_needles() {
    let lossless = |_: &str, text: &str, _: &Wanted<'_>| of_kind(text).then(|| render(text)).flatten();
    let Some(tally) = trial::corpus("search/", lossless) else { return };
    assert_eq!(tally.visible, tally.needles, "paths that are quoted later stay");
    assert!(tally.after * 100 <= tally.before * 83, "{tally:?}");
    let lossy = |_: &str, text: &str, wanted: &Wanted<'_>| of_kind(text).then(|| both(text, wanted));
    let Some(tally) = trial::corpus("search/", lossy) else { return };
    assert!(tally.visible * 100 >= tally.needles * 97, "{tally:?}");
    assert!(tally.after * 100 <= tally.before * 77, "{tally:?}");
}

#[test]
fn what_agents_used_later_stays_visible() {
    let form = |text: &str, wanted: &Wanted<'_>| of_kind(text).then(|| both(text, wanted));
    let Some(tally) = trial::conversations(form) else { return };
    assert!(tally.visible * 1000 >= tally.needles * 990, "{tally:?}");
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(/w/)?src/(a|b-1-c|d e)\\.rs[:-][0-9]{1,2}[:-][a:]{0,3}",
        2 => "(src/a\\.rs|x)?(:|-)[0-9]{0,2}(:|-)?[a: 0-9-]{0,5}",
        2 => "C:\\\\d\\\\a\\.rs[:-][0-9]{1,2}[:-][a:]{0,3}",
        1 => Just("--".to_owned()),
        1 => Just(carry::HEADER.to_owned()),
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn leaving_paths_out_is_reversible(
        lines in proptest::collection::vec((line(), "\r?\n"), 0..60),
        many in 0_usize..120,
        last in line(),
    ) {
        let mut text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        for n in 0..many {
            text.push_str(&format!("src/a.rs:{n}:let a = {n};\n"));
        }
        text.push_str(&last);
        if let Some(short) = render(&text) {
            prop_assert!(short.len() < text.len());
            prop_assert_eq!(carry::expand(&short), text);
        }
    }

    #[test]
    fn gaps_are_whole_lines_of_any_text(
        lines in proptest::collection::vec((line(), "\r?\n"), 0..60),
        times in 1_usize..8,
        question in "[a-d]{0,3}",
    ) {
        let text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        let text = text.repeat(times);
        let wanted = Wanted { question: Some(&question), ..Wanted::default() };
        let found = gaps(&text, &wanted);
        trial::check(&text, &found);
        prop_assert!(share(&text) <= 100);
    }
}
