use tree_sitter::{Node, Parser};

/// A programming language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "names of languages")]
pub enum Language {
    Bash,
    C,
    Cpp,
    CSharp,
    Go,
    Java,
    JavaScript,
    Perl,
    Php,
    Python,
    Ruby,
    Rust,
    Tsx,
    TypeScript,
}

impl Language {
    /// Returns the language for a file name, by its extension.
    #[must_use]
    pub fn from_file_name(file: &str) -> Option<Self> {
        Some(match file.rsplit_once('.')?.1 {
            "sh" | "bash" => Self::Bash,
            "c" | "h" => Self::C,
            "cc" | "cpp" | "hpp" => Self::Cpp,
            "cs" => Self::CSharp,
            "go" => Self::Go,
            "java" => Self::Java,
            "js" | "jsx" | "mjs" => Self::JavaScript,
            "pl" | "pm" => Self::Perl,
            "php" => Self::Php,
            "py" => Self::Python,
            "rb" => Self::Ruby,
            "rs" => Self::Rust,
            "tsx" => Self::Tsx,
            "ts" => Self::TypeScript,
            _ => return None,
        })
    }

    fn grammar(self) -> tree_sitter::Language {
        match self {
            Self::Bash => tree_sitter_bash::LANGUAGE.into(),
            Self::C => tree_sitter_c::LANGUAGE.into(),
            Self::Cpp => tree_sitter_cpp::LANGUAGE.into(),
            Self::CSharp => tree_sitter_c_sharp::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Perl => ts_parser_perl::LANGUAGE.into(),
            Self::Php => tree_sitter_php::LANGUAGE_PHP.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Ruby => tree_sitter_ruby::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        }
    }
}

/// Counts the syntax errors in a text; `None` if it cannot be parsed at all.
///
/// ```
/// use headroom_evals::checks::{Language, mistakes};
///
/// assert_eq!(mistakes(Language::Rust, "fn a() {}"), Some(0));
/// assert_eq!(mistakes(Language::Rust, "fn a( {}").map(|count| count > 0), Some(true));
/// ```
#[must_use]
pub fn mistakes(language: Language, text: &str) -> Option<usize> {
    let mut parser = Parser::new();
    parser.set_language(&language.grammar()).ok()?;
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
