pub(crate) fn kind(text: &str, _: Option<&str>, _: Option<&str>) -> crate::ContentKind {
    if text.trim_start().starts_with(['{', '[']) {
        crate::ContentKind::Json
    } else {
        crate::ContentKind::Text
    }
}
