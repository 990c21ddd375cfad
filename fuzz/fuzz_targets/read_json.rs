//! Reads any text as JSON with every view, and edits it.
#![no_main]

#[path = "../../headroom-json/tests/check/mod.rs"]
mod check;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        check::check(text);
    }
});
