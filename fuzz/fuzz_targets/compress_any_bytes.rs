//! Any bytes under any API: no panic, no change of what is no JSON, and every law on what is.
#![no_main]

use headroom_core::{Api, Retrieval, CompressOptions};
use headroom_tests::{
    engine::real,
    json::Json,
    laws::{Forms, every, splice},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let api = Api::ALL[usize::from(*first) % Api::ALL.len()];
    let retrieval = [Retrieval::Disabled, Retrieval::ClientTool, Retrieval::ServerTool][usize::from(*first) / 5 % 3];
    let options = CompressOptions::new().retrieval(retrieval);
    if Json::parse(body).is_none() {
        assert!(real().compress(api, body, &options).body.is_none(), "a body that is not JSON was changed");
        return;
    }
    let run = splice(&real, api, body, retrieval, &options).unwrap_or_else(|violation| panic!("{violation}"));
    every(&run, &options, &Forms::default()).unwrap_or_else(|violation| panic!("{violation}"));
});
