#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Style;
impl Style {
    pub(crate) fn prefix(&self, _: u32) -> String {
        String::new()
    }
}
pub(crate) struct Run {
    pub(crate) lines: std::ops::Range<usize>,
    pub(crate) first: u32,
    pub(crate) style: Style,
}
pub(crate) fn runs(_: &[&str]) -> Vec<Run> {
    vec![]
}
