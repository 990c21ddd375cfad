use headroom_core::Language;
use tree_sitter::{Node, Parser};

/// The grammar that judges a language; `None` for one without.
fn grammar(language: Language) -> Option<tree_sitter::Language> {
    Some(match language {
        Language::Bash => tree_sitter_bash::LANGUAGE.into(),
        Language::C => tree_sitter_c::LANGUAGE.into(),
        Language::Cpp => tree_sitter_cpp::LANGUAGE.into(),
        Language::CSharp => tree_sitter_c_sharp::LANGUAGE.into(),
        Language::Go => tree_sitter_go::LANGUAGE.into(),
        Language::Java => tree_sitter_java::LANGUAGE.into(),
        Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        Language::Perl => ts_parser_perl::LANGUAGE.into(),
        Language::Php => tree_sitter_php::LANGUAGE_PHP.into(),
        Language::Python => tree_sitter_python::LANGUAGE.into(),
        Language::Ruby => tree_sitter_ruby::LANGUAGE.into(),
        Language::Rust => tree_sitter_rust::LANGUAGE.into(),
        Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        _ => return None,
    })
}

/// Counts the syntax errors in a text; `None` if it cannot be parsed at all.
///
/// ```
/// use headroom_core::Language;
/// use headroom_evals::checks::mistakes;
///
/// assert_eq!(mistakes(Language::Rust, "fn a() {}"), Some(0));
/// assert_eq!(mistakes(Language::Rust, "fn a( {}").map(|count| count > 0), Some(true));
/// ```
#[must_use]
pub fn mistakes(language: Language, text: &str) -> Option<usize> {
    let mut parser = Parser::new();
    parser.set_language(&grammar(language)?).ok()?;
    let tree = parser.parse(text, None)?;
    let mut cursor = tree.walk();
    let mut count = 0;
    // No recursion: the text may be nested to any depth.
    loop {
        let node: Node<'_> = cursor.node();
        count += usize::from(node.is_error() || node.is_missing());
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(count);
            }
        }
    }
}
