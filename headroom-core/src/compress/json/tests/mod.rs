mod compare;
mod decode;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use headroom_json::document::Sequence;

use super::{JsonText, Selection};
use crate::{compress::shared, relevance::Query};
pub(super) use compare::{covers, minify};
pub(super) use decode::decode;

/// Returns the lossless renderings of a text, none if it is no JSON.
pub(crate) fn candidates(text: &str) -> Vec<String> {
    JsonText::parse(text, Sequence::Values).map(|json| json.candidates()).unwrap_or_default()
}

/// Returns the rendering of a text with elided parts.
pub(super) fn selected(text: &str, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
    JsonText::parse(text, Sequence::Values)?.selected(query, folder)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Every string below a tool result.
fn tool_results(value: &serde_json::Value, inside: bool, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if inside => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| tool_results(item, inside, found)),
        serde_json::Value::Object(members) => {
            let kind = |key: &str| members.get(key).and_then(|value| value.as_str()).unwrap_or_default();
            let inside = inside || kind("type") == "tool_result" || kind("role") == "tool";
            members.values().for_each(|member| tool_results(member, inside, found));
        }
        _ => {}
    }
}

/// The JSON of the corpora and the workloads, with its name.
fn samples(shared: &Path) -> Vec<(String, String)> {
    let mut samples = Vec::new();
    for path in files(&shared.join("corpora/json")) {
        if let Ok(text) = fs::read_to_string(&path) {
            samples.push((path.strip_prefix(shared).unwrap().display().to_string(), text));
        }
    }
    for path in files(&shared.join("workloads")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let body = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut found = Vec::new();
        tool_results(&body, false, &mut found);
        samples.extend(found.into_iter().enumerate().map(|(n, text)| (format!("{name}#{n}"), text)));
    }
    samples
}

#[track_caller]
fn round_trip(text: &str) -> Vec<String> {
    let renderings = candidates(text);
    for rendering in &renderings {
        assert!(rendering.len() < text.len());
        let decoded = decode(rendering).unwrap_or_else(|error| panic!("{error}\n{rendering}"));
        assert_eq!(decoded.replace('\n', ""), minify(text), "{rendering}");
    }
    renderings
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_json_survives_the_round_trip() {
    let shared = shared("");
    for (name, text) in samples(&shared) {
        let result = std::panic::catch_unwind(|| round_trip(&text));
        assert!(result.is_ok(), "{name}");
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn invalid_json_has_no_candidates() {
    let shared = shared("");
    let mut seen = 0;
    for path in files(&shared.join("corpora/json/robustness")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if name.starts_with("n_") {
            assert_eq!(candidates(&format!("  {text}  ")), Vec::<String>::new(), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

/// The last candidate of a text that gets shorter.
#[track_caller]
fn table(text: &str) -> String {
    round_trip(text).pop().expect("a candidate")
}

#[test]
fn compact_json_keeps_every_lexeme() {
    let text = r#" { "b" : [ 1.0 , -0, 1e400,9223372036854775809 ] , "a":"\u00e9\ud800\/" , "a" : { } } "#;
    let compact = r#"{"b":[1.0,-0,1e400,9223372036854775809],"a":"\u00e9\ud800\/","a":{}}"#;
    assert_eq!(candidates(text), [compact]);
}

#[test]
fn nothing_shorter_is_no_candidate() {
    for text in
        ["", " ", "1", " 12 ", "\"a\"", "null\n", "[]", "{\"a\":1}\n", "[1,2,3]", "word", "{\"a\":1} x"]
    {
        assert_eq!(candidates(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn aligned_numbers_are_no_json() {
    for text in ["  12   34  567 total", "1   2   3", "1\n\n\n2\n", "[1]   [2]", "[ 1 ]\n\n 2"] {
        assert_eq!(candidates(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_table_stands_where_the_array_stood() {
    let text = r#"{"total": 3, "entries": [
        {"time": 1, "level": "INFO", "meta": {"region": "eu", "pod": "a"}},
        {"time": 2, "level": "INFO", "meta": {"region": "eu", "pod": "b"}},
        {"time": 3, "level": "INFO", "meta": {"region": "eu", "pod": "c"}}
    ], "end": null}"#;
    let expected = r#"{"total":3,"entries":[3 rows; name=value: same in every row: time,level=INFO,meta.region=eu,meta.pod
1,a
2,b
3,c
],"end":null}"#;
    assert_eq!(table(text), expected);
}

#[test]
fn a_missing_key_is_not_null_and_not_an_empty_string() {
    let text = r#"[{"name":"a","detail":null,"end":1},{"name":"b","end":2},{"name":"c","detail":"","end":3},
        {"name":"d","detail":"null","end":4},{"name":"e","detail":"none"}]"#;
    let expected =
        "[5 rows; blank: no such key: name,detail,end\na,null,1\nb,,2\nc,\"\",3\nd,\"null\",4\ne,none\n]";
    assert_eq!(table(text), expected);
}

#[test]
fn strings_stand_without_quotes_where_nothing_else_reads_like_them() {
    let text = r#"[{"value":"x \"y\" \\z"},{"value":"1e5"},{"value":1e5},{"value":"1e5x"},{"value":"[a"},
        {"value":" a"},{"value":"\u0041"},{"value":"a\nb"},{"value":true},{"value":"true"},{"value":"]"}]"#;
    let expected = "[11 rows: value\nx \"y\" \\z\n\"1e5\"\n1e5\n1e5x\n\"[a\"\n\" a\"\n\"\\u0041\"\n\"a\\nb\"\ntrue\n\"true\"\n\"]\"\n]";
    assert_eq!(table(text), expected);
}

#[test]
fn keys_with_dots_are_not_paths() {
    let row = r#"{"alpha.beta":1,"alpha":{"beta":2},"":3}"#;
    let other = r#"{"alpha.beta":4,"alpha":{"beta":5},"":6}"#;
    let expected = "[3 rows: \"alpha.beta\",alpha.beta,\"\"\n1,2,3\n4,5,6\n1,2,3\n]";
    assert_eq!(table(&format!("[{row},{other},{row}]")), expected);
}

#[test]
fn the_delimiter_is_one_that_the_strings_do_not_have() {
    let text = r#"[{"message":"a, b","level":"info"},{"message":"c, d","level":"warn"},{"message":"e","level":"info"}]"#;
    assert_eq!(table(text), "[3 rows: message|level\na, b|info\nc, d|warn\ne|info\n]");
}

#[test]
fn arrays_of_one_object_become_columns_and_others_cells() {
    let text = r#"[{"hits":[{"line":1,"text":"a"}],"tags":["x","y"]},{"hits":[{"line":2,"text":"b"}],"tags":[]},
        {"hits":[{"line":3,"text":"c"}],"tags":["z"]}]"#;
    let expected = "[3 rows: hits[0].line,hits[0].text,tags\n1,a,[\"x\",\"y\"]\n2,b,[]\n3,c,[\"z\"]\n]";
    assert_eq!(table(text), expected);
}

#[test]
fn rows_whose_keys_change_places_are_no_table() {
    let text = r#"[{"alpha":1,"beta":2},{"beta":3,"alpha":4},{"alpha":5,"beta":6}]"#;
    assert_eq!(candidates(text), Vec::<String>::new());
    let inner = r#"[{"name":1,"inner":{"alpha":1,"beta":2}},{"name":2,"inner":{"beta":3,"alpha":4}}]"#;
    assert_eq!(
        table(inner),
        "[2 rows: name,inner\n1,{\"alpha\":1,\"beta\":2}\n2,{\"beta\":3,\"alpha\":4}\n]"
    );
}

#[test]
fn rows_with_a_key_twice_are_no_table() {
    let row = r#"{"alpha":{"x":1},"alpha":{"y":2}}"#;
    assert_eq!(candidates(&format!("[{row},{row},{row}]")), Vec::<String>::new());
}

#[test]
fn later_keys_find_their_place_among_the_columns() {
    let text = r#"[{"alpha":1,"gamma":3},{"alpha":2,"beta":3,"gamma":4},{"beta":9,"gamma":8,"delta":1}]"#;
    assert_eq!(table(text), "[3 rows; blank: no such key: alpha,beta,gamma,delta\n1,,3\n2,3,4\n,9,8,1\n]");
}

#[test]
fn rows_that_are_all_the_same_are_one_line() {
    let text = format!("[{}]", vec![r#"{"alpha":"x, y","beta":[1, 2]}"#; 100].join(", "));
    assert_eq!(table(&text), "[100 rows; name=value: same in every row: alpha=\"x, y\",beta=[1,2]\n]");
}

#[test]
fn json_lines_are_one_table() {
    let lines =
        "{\"level\":\"info\",\"n\":1}\n{\"level\":\"info\",\"n\":2}\n\n{\"level\":\"info\",\"n\":3}\n";
    let expected = "3 JSON values; name=value: same in every row: level=info,n\n1\n2\n3";
    assert_eq!(table(lines), expected);
    assert_eq!(candidates("{\"a\": 1}\n[ 2 ]\n"), ["{\"a\":1}\n[2]"]);
}

#[test]
fn text_that_looks_like_a_table_stays_text() {
    let fake = r#""[2 rows: a\n1\n2\n]""#;
    let text = format!(
        r#"[{{"value":{fake},"other":1}},{{"value":"2 rows: x","other":2}},{{"value":{fake},"other":3}}]"#
    );
    assert!(table(&text).contains(fake));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[ ".repeat(depth), "]".repeat(depth));
    assert_eq!(round_trip(&nested(128)).len(), 1);
    assert_eq!(candidates(&nested(129)), Vec::<String>::new());
    assert_eq!(candidates(&nested(100_000)), Vec::<String>::new());
    assert_eq!(candidates(&"[".repeat(100_000)), Vec::<String>::new());
}

#[test]
fn many_rows_are_one_table() {
    let rows: Vec<_> = (0..100_000).map(|n| format!(r#"{{"id":{n},"name":"user {n}"}}"#)).collect();
    assert_eq!(table(&format!("[{}]", rows.join(","))).lines().count(), 100_002);
}

#[test]
fn keys_that_differ_in_every_row_do_not_blow_up() {
    let rows: Vec<_> = (0..5_000).map(|n| format!(r#"{{"id":{n},"map":{{"k{n}":1,"x{n}":2}}}}"#)).collect();
    assert!(table(&format!("[{}]", rows.join(", "))).len() < 200_000);
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[abc]",
        1 => Just(String::new()),
        1 => prop::sample::select(vec![
            "a.b", "a[0]", "[0]", "a=b", "a,b", "a|b", " a", "a b", "é", "\\u0061", "\\\"", "rows", "\\n", "a: ", "\\ud800",
        ])
        .prop_map(String::from),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "0",
            "-0",
            "1.0",
            "1e400",
            "9223372036854775809",
            "-1.5E+3",
            "true",
            "false",
            "null",
            "\"\"",
            "\"null\"",
            "\"-0\"",
            "\"01\"",
            "\"[2 rows: a\"",
            "\"\\ud800\"",
            "\"a\\nb\"",
            "\"\\\\n\"",
            "\"\\/\"",
            "\"a,b\"",
            "\"a|b\"",
            "\"a;b\"",
            "\"\\t\"",
            "\" a\"",
            "\"a \"",
            "\"]\"",
            "\"}\"",
            "\"\u{2028}\"",
            "\"a=b\"",
            "\"\\\"a\"",
            "\"a\\\"\"",
            "\"-\"",
            "\"x\"",
            "\"😀\"",
            "[]",
            "{}",
        ])
        .prop_map(String::from),
        "[ -~]{0,6}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        any::<i32>().prop_map(|n| n.to_string()),
    ]
}

/// JSON with white space in odd places; keys repeat so that tables come about.
fn json() -> impl Strategy<Value = String> {
    scalar().prop_recursive(5, 80, 6, |inner| {
        let members = prop::collection::vec((key(), inner.clone()), 0..4);
        let object = |members: Vec<(String, String)>| {
            let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\" :{value}")).collect();
            format!("{{ {}}}", members.join("\n,"))
        };
        let keys = prop::collection::vec(key(), 1..4);
        let records =
            (keys, prop::collection::vec(prop::collection::vec(inner.clone(), 4), 1..5), any::<u32>());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}\t]", items.join(" , "))),
            members.prop_map(object),
            records.prop_map(move |(keys, rows, absent)| {
                let row = |(n, row): (usize, &Vec<String>)| {
                    let member = |(m, (key, value)): (usize, (&String, &String))| {
                        let here = (absent >> ((n * 4 + m) % 32)) & 3 != 0;
                        here.then(|| (key.clone(), value.clone()))
                    };
                    object(keys.iter().zip(row).enumerate().filter_map(member).collect())
                };
                format!("[{}]", rows.iter().enumerate().map(row).collect::<Vec<_>>().join(",  "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn generated_json_survives_the_round_trip(text in json()) {
        round_trip(&text);
    }

    #[test]
    fn generated_streams_survive_the_round_trip(texts in prop::collection::vec(json(), 2..5), record in json()) {
        round_trip(&texts.join("\n"));
        round_trip(&texts.iter().map(|text| format!("{{\"a\": {text}, \"b\": {record}}}\n")).collect::<String>());
    }

    #[test]
    fn any_text_is_survived(text in "[\\[\\]{}:,\"\\\\0-9a-f.eE+ \n-]{0,40}") {
        if !candidates(&text).is_empty() {
            round_trip(&text);
        }
    }
}

#[test]
fn white_space_between_tokens_changes_nothing() {
    let row = |n: usize| {
        format!(
            r#"{{"id": {n}, "a b": "x  \" : {n}", "tags" : [ "p", {{"q" : [1 , 2]}} , {n} ], "o": {{ }} }}"#
        )
    };
    let rows = (0..90).map(row).collect::<Vec<_>>();
    let array = format!("[ {} ]", rows.join(" ,\n "));
    let object = format!("{{\"k\" : [{}]}}", rows.join(", "));
    let stream = rows.iter().map(|row| minify(row)).collect::<Vec<_>>().join("\n");
    for (spaced, compact) in
        [(&array, minify(&array)), (&object, minify(&object)), (&rows.join("\r\n"), stream)]
    {
        assert_eq!(candidates(spaced).last(), candidates(&compact).last());
    }
}
