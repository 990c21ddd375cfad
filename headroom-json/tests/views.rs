//! The views agree with each other and with `serde_json`, whatever the text.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod check;

use proptest::prelude::*;

/// JSON with odd white space, numbers, escapes and keys.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        string(),
    ];
    leaf.prop_recursive(4, 60, 6, |inner| {
        let item = (space(), inner, space())
            .prop_map(|(before, item, behind)| format!("{before}{item}{behind}"))
            .boxed();
        let member = (space(), string(), space(), item.clone())
            .prop_map(|(before, key, behind, item)| format!("{before}{key}{behind}:{item}"));
        prop_oneof![
            prop::collection::vec(item, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

fn string() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "é",
        "😀",
        " ",
        "[",
        "}",
        ",",
        r"\n",
        r"\\",
        r#"\""#,
        r"\/",
        r"\u00e9",
        r"\ud83d\ude00",
        r"\ud83d",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..6)
        .prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "", " ", "\n  ", "\t", "\r\n"])
}

proptest! {
    #[test]
    fn views_agree_on_json(text in json()) {
        check::check(&text);
    }

    #[test]
    fn views_agree_on_json_that_is_cut(text in json(), at in 0.0..1.0_f64) {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let at = (text.len() as f64 * at) as usize;
        let end = (0..=at).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        check::check(&text[..end]);
        check::check(&text[end..]);
    }

    #[test]
    fn views_agree_on_what_looks_like_json(text in r#"[\[\]{}":,0-9a-e.\\ntru \n-]{0,32}"#) {
        check::check(&text);
    }
}
