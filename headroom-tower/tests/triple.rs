//! Request, answer and next request, made of any bytes. `fuzz/fuzz_targets/converse.rs` runs the same for longer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

#[path = "triple/mod.rs"]
mod triple;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn what_one_conversation_hid_never_gets_into_another(data in prop::collection::vec(any::<u8>(), 0..300)) {
        triple::converse(&data);
    }
}

#[test]
fn what_was_hidden_is_put_back() {
    for api in 0..4 {
        let (hidden, last, next) = ([1, 17, 5], [16, 3, 1], [0, 0, 16, 3, 1]);
        let data = [&[api, 0][..], &hidden, &last, &next].concat();
        assert_eq!(triple::converse(&data), 1, "{api}");
    }
}
