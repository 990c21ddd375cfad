pub(crate) mod json {
    pub(crate) fn candidates(_: &str) -> Vec<String> {
        vec![]
    }
}
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
