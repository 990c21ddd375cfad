use headroom_core::Handle;

use super::{retrieve::handle, select::range, *};

fn log() -> String {
    (1..=500).map(|n| format!("{n:03} request served in {} ms\n", n % 7)).collect()
}

#[test]
fn the_whole_is_shown_as_far_as_it_fits_and_says_so() {
    assert_eq!(RetrieveQuery::new().answer("a\nb"), "all 2 lines:\na\nb");
    let answer = RetrieveQuery::new().max_bytes(100).answer(&log());
    assert!(
        answer.starts_with("lines 1-3 of 500; more does not fit, ask for the next lines or a query:\n"),
        "{answer}"
    );
    assert!(answer.len() < 250);
}

#[test]
fn a_line_longer_than_the_bound_is_cut_and_says_so() {
    let answer = RetrieveQuery::new().max_bytes(10).answer(&"ä".repeat(50));
    assert!(answer.contains("ääää") && answer.contains("more bytes of this line"), "{answer}");
}

#[test]
fn ranges_are_read_as_models_write_them() {
    for (text, expected) in [
        ("120-180", 120..=180),
        (" 120 ", 120..=120),
        ("180..120", 120..=180),
        ("[3, 4]", 3..=4),
        ("lines 7-9", 7..=9),
        ("5-", 5..=usize::MAX),
        ("-5", 0..=5),
        ("99999999999999999999999-1", 1..=usize::MAX),
    ] {
        assert_eq!(range(text), Some(expected), "{text}");
    }
    assert_eq!(range("all"), None);
}

#[test]
fn lines_outside_the_original_are_named_missing() {
    let answer = RetrieveQuery::new().lines("600-700").answer(&log());
    assert!(answer.starts_with("There are no such lines") && answer.contains("500 lines"), "{answer}");
}

#[test]
fn lines_of_a_numbered_view_are_those_it_prints() {
    let view: String = (301..=340).map(|n| format!("{n:>6}\tlet x{n} = {n};\n")).collect();
    let answer = RetrieveQuery::new().lines("310-311").answer(&view);
    assert!(answer.contains("lines 310-311 of 301-340"), "{answer}");
    assert!(answer.contains("let x310") && answer.contains("let x311") && !answer.contains("x312"));
}

#[test]
fn rows_keep_their_bytes_but_for_white_space() {
    let json =
        r#"{"meta": [1, 2], "rows": [ {"z": 1.50, "a": "x y"}, {"z": 12345678901234567890}, {"z": 3} ]}"#;
    let answer = RetrieveQuery::new().rows("1-2").answer(json);
    assert_eq!(
        answer,
        "rows 1-2 of 3; ask for other rows or a query:\n{\"z\":1.50,\"a\":\"x y\"}\n{\"z\":12345678901234567890}\n"
    );
    let answer = RetrieveQuery::new().path("meta").rows("2").answer(json);
    assert!(answer.contains("row 2 of 2 at meta") && answer.ends_with("\n2\n"), "{answer}");
    assert!(RetrieveQuery::new().rows("1").answer("no json").contains("no rows"));
    assert!(RetrieveQuery::new().rows("2").answer("{\"a\":1}\n{\"a\": 2}\n").ends_with("{\"a\":2}\n"));
}

#[test]
fn paths_lead_to_values_and_say_what_else_there_is() {
    let json = r#"{"logs":[{"message":"a\nb"},{"message":"c"}],"n":1}"#;
    assert_eq!(
        RetrieveQuery::new().path("logs[0].message").answer(json),
        "all 2 lines at logs[0].message:\na\nb"
    );
    assert!(RetrieveQuery::new().path("$.logs.1").answer(json).contains(r#"{"message":"c"}"#));
    assert!(RetrieveQuery::new().path("lgs").answer(json).contains("the members are: logs, n."));
    assert!(RetrieveQuery::new().path("logs[9]").answer(json).contains("items 0-"));
    assert!(RetrieveQuery::new().path("a").answer("text").contains("no JSON"));
}

#[test]
fn a_query_finds_lines_with_coordinates_and_context() {
    let mut text = log();
    text.push_str("panic: connection refused by db-7\n");
    text.push_str(&log());
    let answer = RetrieveQuery::new().query("connection refused").answer(&text);
    assert!(answer.starts_with("1 of 1001 lines match \"connection refused\""), "{answer}");
    assert!(answer.contains("lines 499-503 of 1001:\n"), "{answer}");
    let regex = RetrieveQuery::new().query(r"db-\d+").answer(&text);
    assert!(regex.contains("panic:"), "{regex}");
    let none = RetrieveQuery::new().query("zebra").answer(&text);
    assert!(none.starts_with("Nothing in") && none.contains("1001 lines"), "{none}");
}

#[test]
fn rarer_words_rank_higher() {
    let text = "alpha common\n\n\n\n\n\nbeta common\n\n\n\n\n\ngamma common\n\n\n\n\n\ncommon\n".to_owned();
    let answer = RetrieveQuery::new().query("common beta").answer(&text);
    let body = answer.split_once(":\n").unwrap().1;
    assert!(body.find("beta").unwrap() < body.find("alpha").unwrap(), "{answer}");
}

#[test]
fn a_query_over_rows_answers_rows() {
    let json = r#"[{"id":1,"s":"ok"},{"id":2,"s":"failed"},{"id":3,"s":"ok"}]"#;
    let answer = RetrieveQuery::new().rows("1-").query("failed").answer(json);
    assert!(answer.contains("row 2 of 3:\n{\"id\":2,\"s\":\"failed\"}\n"), "{answer}");
}

#[test]
fn a_query_that_looks_like_a_regex_but_finds_nothing_is_read_as_words() {
    let answer = RetrieveQuery::new().query("why (exactly) refused?").answer("it was refused\n");
    assert!(answer.contains("it was refused"), "{answer}");
}

#[test]
fn arguments_are_read_in_every_form_that_models_use() {
    let slice =
        RetrieveQuery::from_arguments(r#"{"hash":"x","lines":[3,4],"rows":"","query":null,"path":7}"#);
    assert_eq!(slice, RetrieveQuery::new().lines("[3,4]").path("7"));
    assert_eq!(RetrieveQuery::from_arguments("not json"), RetrieveQuery::new());
}

#[test]
fn handles_are_read_with_what_stands_around_them() {
    let known = Handle::from_content("x");
    for text in [format!("{known}"), format!("[headroom:{known} lines 1-2"), format!(" headroom:{known}]")] {
        assert_eq!(handle(&text), Some(known), "{text}");
    }
    assert_eq!(handle("nothing"), None);
}

proptest::proptest! {
    #[test]
    fn never_panics_and_stays_bounded(
        content in ".{0,400}", lines in ".{0,12}", path in ".{0,12}", query in ".{0,12}", pick in 0..16_u8,
    ) {
        let mut slice = RetrieveQuery::new().max_bytes(64);
        if pick & 1 != 0 { slice = slice.lines(lines.clone()); }
        if pick & 2 != 0 { slice = slice.rows(lines); }
        if pick & 4 != 0 { slice = slice.path(path); }
        if pick & 8 != 0 { slice = slice.query(query); }
        assert!(slice.answer(&content).len() < 64 + 64 * 40 + 3000);
    }
}
