//! Recognises lines of code in any language.

/// Whether a line without its indentation is a statement, a declaration or a closing bracket.
pub(super) fn is_code(text: &str) -> bool {
    const STARTS: [&str; 38] = [
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
    ];
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
        || STARTS.iter().any(|start| text.starts_with(start)) && !text.ends_with('.')
        || text.contains(" = ") && !text.ends_with('.')
        || text.contains("::")
        || text.contains("->") && text.contains('(')
}
