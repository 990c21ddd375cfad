//! Request, answer and next request of two conversations at once, of every API: what one of them hid never gets into
//! the other, what is sent is JSON, and nothing panics.
#![no_main]

#[path = "../../headroom-tower/tests/triple/mod.rs"]
mod triple;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    triple::converse(data);
});
