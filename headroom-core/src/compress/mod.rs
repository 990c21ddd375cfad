//! One module per form: pure functions from a text to what could stand instead.

pub(crate) mod json;
pub(crate) mod terminal {
    pub(crate) fn render(_: &str) -> Option<String> {
        None
    }
}
pub(crate) mod fold {
    pub(crate) struct Fold {
        pub(crate) bytes: std::ops::Range<usize>,
        pub(crate) marker: String,
    }
    pub(crate) fn runs(_: &str) -> Vec<Fold> {
        vec![]
    }
}
