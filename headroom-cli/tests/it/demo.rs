use serde_json::Value;

use crate::support::{headroom, stderr};

#[test]
fn it_needs_no_home_no_key_and_no_network() {
    let output = headroom(&["demo"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("headroom_retrieve") && !text.contains('\u{1b}'), "{text}");
    let output = headroom(&["demo", "--json"]).output().unwrap();
    let demo: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(demo["tokens_after"].as_u64() < demo["tokens_before"].as_u64());
    let blocks = demo["blocks"].as_array().unwrap();
    assert!(blocks.len() > 8 && blocks.iter().all(|block| block["what"].is_string()), "{demo}");
    assert!(demo["retrieved"]["answer"].as_str().unwrap().contains("lines 30-33 of "), "{demo}");
}
