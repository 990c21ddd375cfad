pub(crate) fn kind(_: &str, _: Option<&str>, _: Option<&str>) -> crate::ContentKind {
    crate::ContentKind::Text
}
