//! Recognises lines of code in any language.

use memchr::memchr;

use crate::text::starts::Starts;

/// Whether a line without its indentation is a statement, a declaration or a closing bracket.
pub(super) fn is_code(text: &str) -> bool {
    static STARTS: Starts<38> = Starts::new([
        "def ",
        "class ",
        "import ",
        "from ",
        "return",
        "if ",
        "elif ",
        "else",
        "for ",
        "while ",
        "func ",
        "fn ",
        "pub ",
        "let ",
        "const ",
        "var ",
        "type ",
        "struct ",
        "impl ",
        "use ",
        "package ",
        "public ",
        "private ",
        "protected ",
        "static ",
        "export ",
        "function ",
        "async ",
        "await ",
        "try",
        "raise ",
        "throw ",
        "my ",
        "sub ",
        "#include ",
        "#define ",
        "namespace ",
        "@",
    ]);
    let has = |mark: u8| memchr(mark, text.as_bytes()).is_some();
    text.ends_with([';', '{', '}'])
        || text.ends_with(");")
        || text.ends_with("},")
        || text.ends_with("),")
        || (text.ends_with([':', ')', ',', '(', '[']) && text.contains(['(', '=', '[']))
        || matches!(text, "}" | ")" | "]" | "*/" | "/*" | "/**")
        || text.starts_with("//")
        || text.starts_with("/*")
        || text.starts_with("* ")
        || text.starts_with("\"\"\"")
        || STARTS.are_at(text) && !text.ends_with('.')
        || has(b'=') && text.contains(" = ") && !text.ends_with('.')
        || has(b':') && text.contains("::")
        || has(b'>') && text.contains("->") && has(b'(')
}
