//! Text of XML documents.

use super::ServiceError;

/// Escapes text so that only ASCII is left, which every encoding of the document has. XML has no way to write control
/// characters; `name` says where one is.
pub(super) fn escaped(name: &str, text: &str) -> Result<String, ServiceError> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                return Err(ServiceError::Control { name: name.to_owned() });
            }
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_plain_ascii_that_means_the_same() {
        assert_eq!(escaped("x", "<a & \"b\">\né").unwrap(), "&lt;a &amp; \"b\"&gt;&#10;&#233;");
        for control in ["\0", "\u{1b}", "\u{9b}"] {
            assert_eq!(
                escaped("HEADROOM_STORE", control).unwrap_err().to_string(),
                "HEADROOM_STORE has a control character, which the definition of a service cannot hold"
            );
        }
    }
}
