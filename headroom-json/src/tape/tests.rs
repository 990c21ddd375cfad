use proptest::prelude::*;

use super::*;

fn accepts(text: &str) -> bool {
    Tape::parse(text).is_ok()
}

#[test]
fn accepts_what_the_grammar_allows() {
    for text in
        ["null", " [ ] ", "{}", r#"{"a":[1,-0,1.5e-3,"\u00e9\n",{"b":null}],"":true}"#, "1e400", "\"\""]
    {
        assert!(accepts(text), "{text}");
    }
}

#[test]
fn declines_what_it_does_not() {
    for text in [
        "",
        " ",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "01",
        "-",
        "1.",
        "1e",
        "+1",
        "tru",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "[1]]",
        "{]",
        "[}",
        "{\"a\":1]",
        "nullx",
        "[1}",
        "\"a\nb\"",
        "\"\0\"",
        "{\"a\u{1f}\":1}",
        "\u{feff}{}",
        "\u{a0}{}",
    ] {
        assert!(!accepts(text), "{text}");
    }
}

#[test]
fn bounds_depth_and_count() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    assert_eq!(Tape::parse(&deep).err(), Some(Error::TooDeep));
    let many = format!("[{}1]", "[],".repeat(1_000_000));
    assert_eq!(Tape::parse(&many).err(), Some(Error::TooManyValues));
    let numbers = format!("[{}1]", "1,".repeat(1_000_000));
    assert_eq!(Tape::parse(&numbers).unwrap().nodes.len(), 1);
}

#[test]
fn fields_refuses_a_key_that_stands_twice() {
    let tape = Tape::parse(r#"{"a":1,"b":2,"\u0061":3,"c":4,"c":5}"#).unwrap();
    let root = tape.root();
    assert_eq!(root.fields(["b"]).unwrap()[0].unwrap().raw(), "2");
    assert_eq!(root.fields(["a"]).err(), Some(Error::DuplicateKey));
    assert_eq!(root.fields(["x", "c"]).err(), Some(Error::DuplicateKey));
}

#[test]
fn strings_skips_keys() {
    let tape = Tape::parse(r#"{"a":"b","c":{"d":["e",{"f":"g"},[]],"h":1},"i":"j"}"#).unwrap();
    let found: Vec<_> = tape.root().strings().map(|text| text.raw).collect();
    assert_eq!(found, ["b", "e", "g", "j"]);
}

proptest! {
    #[test]
    fn agrees_with_serde_json(text in r#"[\[\]{}":,0-9a-e.\\ntru -]{0,24}"#) {
        prop_assert_eq!(accepts(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
    }

    #[test]
    fn agrees_with_serde_json_on_broken_documents(
        filler in "[a-z]{0,80}",
        at in 0.0..1.0_f64,
        with in prop::sample::select(&[
            "", "\0", "\n", "\t", "\x08", "\x1b", "\x1f", "\x7f", "\r", "\"", "\\", "\\x", "\\u12", "\\ud83d", ",", ",,", ":",
            "[", "]", "{", "}", "0", "00", "-", ".", "e", "+", "null", "nul", "NaN", "'", " ", "\u{a0}", "\u{feff}", "/**/", "é",
        ][..]),
    ) {
        let document = format!(
            r#"{{"model":"m","n":[-0.5e+3,1,true,null],"messages":[{{"role":"user","content":"{filler}\n\u00e9"}}, {{}}]}}"#
        );
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let at = (document.len() as f64 * at) as usize;
        for end in [at, at + 1] {
            let mut text = document.clone();
            text.replace_range(at..end, with);
            prop_assert_eq!(accepts(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{:?}", text);
        }
    }

    #[test]
    fn never_panics(text in ".{0,200}") {
        let _ = accepts(&text);
    }
}
