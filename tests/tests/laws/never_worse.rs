use headroom_core::CompressOptions;
use headroom_tests::{
    engine::real,
    generate,
    laws::{Run, never_worse},
};
use proptest::prelude::*;

use crate::{RETRIEVALS, cases, on_every_body};

#[test]
fn never_worse_holds_on_every_recorded_request() {
    on_every_body("never_worse", |run, _options| never_worse(run));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn never_worse_holds_on_generated_requests(conversation in generate::conversations()) {
        let body = generate::body(&conversation, usize::MAX);
        for retrieval in RETRIEVALS {
            let options = crate::options(retrieval);
            let law = |run: &Run, _options: &CompressOptions| never_worse(run);
            let checked = Run::new(&*real(), conversation.api, &body, &options).and_then(|run| law(&run, &options));
            checked.map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        }
    }
}
