//! Grammars, parsers, and the roles of node kinds.
//!
//! The grammars name equal constructs nearly alike, so one table of names covers all of them.

use std::{cell::RefCell, ops::ControlFlow};

use tree_sitter::{LanguageError, Node, ParseOptions, ParseState, Parser, Tree};

use super::language::Language;

/// The roles of a node, as bits.
pub(super) mod role {
    /// Has a body that may be elided, while the lines before the body show how it is used.
    pub(in super::super) const FUNCTION: u8 = 1;
    /// A sequence of statements, each of which may be missing.
    pub(in super::super) const BLOCK: u8 = 2;
    /// A sequence of statements within a block, treated as part of the block.
    pub(in super::super) const LIST: u8 = 4;
    /// Handles or raises errors.
    pub(in super::super) const ERROR: u8 = 8;
    pub(in super::super) const CALL: u8 = 16;
    pub(in super::super) const COMMENT: u8 = 32;
    /// A sequence of values.
    pub(in super::super) const DATA: u8 = 64;
    pub(in super::super) const STRING: u8 = 128;
}

const ROLES: [(u8, &[&str]); 8] = [
    (
        role::FUNCTION,
        &[
            "accessor_declaration",
            "anonymous_function",
            "anonymous_method_expression",
            "anonymous_subroutine_expression",
            "arrow_function",
            "closure_expression",
            "compact_constructor_declaration",
            "constructor_declaration",
            "conversion_operator_declaration",
            "destructor_declaration",
            "do_block",
            "func_literal",
            "function_declaration",
            "function_definition",
            "function_expression",
            "function_item",
            "generator_function",
            "generator_function_declaration",
            "lambda_expression",
            "local_function_statement",
            "method",
            "method_declaration",
            "method_declaration_statement",
            "method_definition",
            "operator_declaration",
            "singleton_method",
            "subroutine_declaration_statement",
        ],
    ),
    (
        role::BLOCK,
        &[
            "begin",
            "block",
            "body_statement",
            "compound_statement",
            "constructor_body",
            "do",
            "do_block",
            "do_group",
            "match_block",
            "statement_block",
            "switch_block",
            "switch_body",
            "then",
        ],
    ),
    (role::LIST, &["block_body", "body_statement", "list_expression", "statement_list"]),
    (
        role::ERROR,
        &[
            "assert_statement",
            "catch_clause",
            "ensure",
            "except_clause",
            "goto_expression",
            "goto_statement",
            "raise_statement",
            "rescue",
            "rescue_modifier",
            "seh_except_clause",
            "throw_expression",
            "throw_statement",
        ],
    ),
    (
        role::CALL,
        &[
            "ambiguous_function_call_expression",
            "call",
            "call_expression",
            "command",
            "func0op_call_expression",
            "func1op_call_expression",
            "function_call_expression",
            "invocation_expression",
            "macro_invocation",
            "member_call_expression",
            "method_call_expression",
            "method_invocation",
            "nullsafe_member_call_expression",
            "object_creation_expression",
            "scoped_call_expression",
        ],
    ),
    (role::COMMENT, &["block_comment", "comment", "line_comment", "pod"]),
    (
        role::DATA,
        &[
            "anonymous_array_expression",
            "anonymous_hash_expression",
            "array",
            "array_creation_expression",
            "array_expression",
            "array_initializer",
            "dictionary",
            "hash",
            "initializer_expression",
            "initializer_list",
            "list",
            "literal_value",
            "object",
            "set",
            "tuple",
        ],
    ),
    (role::STRING, &["string"]),
];
/// The fields that hold the callee of a call, by preference.
const CALLEES: [&str; 4] = ["function", "method", "macro", "name"];

/// Rounds of a hundred parser operations allowed per KiB of text. None of two thousand files written by people took
/// more than six tenths of it; a text that takes more is not in the assumed language.
const ROUNDS_PER_KIB: usize = 40;
const MIN_ROUNDS: usize = 2000;
/// The parser reads the text in pieces of this many bytes, and at most [`Language::pieces`] of them per KiB of text: a
/// scanner that looks ahead from every position reads more.
const PIECE: usize = 4096;
/// KiB added to the length of a text when limits are computed, for short texts.
const SPARE: usize = 32;

/// A parser for one language.
pub(super) struct Grammar {
    parser: Parser,
    /// Pieces of text that the parser may read per KiB.
    pieces: usize,
    pub(super) kinds: Kinds,
}

/// The roles of a language's node kinds.
pub(super) struct Kinds {
    roles: Vec<u8>,
    body: Option<u16>,
    callees: [Option<u16>; 4],
}

impl Kinds {
    /// Returns the roles of a node, as bits of [`role`].
    pub(super) fn roles(&self, node: Node<'_>) -> u8 {
        self.roles.get(usize::from(node.kind_id())).copied().unwrap_or_default()
    }

    pub(super) fn is(&self, node: Node<'_>, role: u8) -> bool {
        self.roles(node) & role != 0
    }

    /// Returns the body of a function, if it is a block of its own.
    pub(super) fn body<'t>(&self, function: Node<'t>) -> Option<Node<'t>> {
        let body = function.child_by_field_id(self.body?)?;
        self.is(body, role::BLOCK).then_some(body)
    }

    /// Returns the callee of a call.
    pub(super) fn callee<'t>(&self, call: Node<'t>) -> Option<Node<'t>> {
        self.callees.iter().flatten().find_map(|field| call.child_by_field_id(*field))
    }
}

impl Grammar {
    fn new(language: &tree_sitter::Language, pieces: usize) -> Result<Self, LanguageError> {
        let mut parser = Parser::new();
        parser.set_language(language)?;
        let role = |kind: u16| {
            let name = language.node_kind_for_id(kind).filter(|_| language.node_kind_is_named(kind))?;
            let roles = ROLES.iter().filter(|(_, names)| names.contains(&name));
            Some(roles.fold(0, |bits, (bit, _)| bits | bit))
        };
        let kinds = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let field = |name: &str| language.field_id_for_name(name).map(std::num::NonZero::get);
        let kinds = Kinds {
            roles: (0..kinds).map(|kind| role(kind).unwrap_or_default()).collect(),
            body: field("body"),
            callees: CALLEES.map(field),
        };
        Ok(Self { parser, pieces, kinds })
    }

    /// Parses a text; `None` if that takes more work than is allowed for its length.
    ///
    /// Work is counted in parser operations, so the same text always has the same result.
    pub(super) fn parse(&mut self, text: &str) -> Option<Tree> {
        self.parse_again(text, None)
    }

    /// Parses incrementally, given the tree of an earlier text with the edits since applied to it.
    pub(super) fn parse_again(&mut self, text: &str, earlier: Option<&Tree>) -> Option<Tree> {
        let mut rounds = (text.len() >> 10).saturating_mul(ROUNDS_PER_KIB) + MIN_ROUNDS;
        let mut progress = |_: &ParseState| match rounds.checked_sub(1) {
            Some(left) => {
                rounds = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        };
        let bytes = text.as_bytes();
        let mut pieces = Some(((text.len() >> 10) + SPARE).saturating_mul(self.pieces));
        let mut read = |at: usize, _| {
            pieces = pieces.and_then(|left| left.checked_sub(1));
            let piece = bytes.get(at..(at + PIECE).min(bytes.len())).filter(|_| pieces.is_some());
            piece.unwrap_or_default()
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let tree =
            self.parser.parse_with_options(&mut read, earlier, Some(options)).filter(|_| pieces.is_some());
        // Otherwise the next parse would resume an aborted one.
        self.parser.reset();
        tree
    }
}

/// Calls `work` with this thread's grammar of a language; `None` if the language is not compiled in.
pub(super) fn with<T>(language: Language, work: impl FnOnce(&mut Grammar) -> Option<T>) -> Option<T> {
    thread_local! {
        static GRAMMARS: RefCell<Vec<(Language, Grammar)>> = const { RefCell::new(Vec::new()) };
    }
    // Removed while in use: a panic loses this grammar only, not the thread's others.
    let known = GRAMMARS.try_with(|all| {
        let mut all = all.try_borrow_mut().ok()?;
        let at = all.iter().position(|(known, _)| *known == language)?;
        Some(all.swap_remove(at).1)
    });
    let mut grammar = match known.ok()? {
        Some(grammar) => grammar,
        None => Grammar::new(&language.grammar()?, language.pieces()).ok()?,
    };
    let result = work(&mut grammar);
    _ = GRAMMARS.try_with(|all| all.try_borrow_mut().map(|mut all| all.push((language, grammar))));
    result
}

impl Language {
    /// Returns the grammar, if its feature is enabled.
    fn grammar(self) -> Option<tree_sitter::Language> {
        match self {
            #[cfg(feature = "code-bash")]
            Self::Bash => Some(tree_sitter_bash::LANGUAGE.into()),
            #[cfg(feature = "code-c")]
            Self::C => Some(tree_sitter_c::LANGUAGE.into()),
            #[cfg(feature = "code-cpp")]
            Self::Cpp => Some(tree_sitter_cpp::LANGUAGE.into()),
            #[cfg(feature = "code-csharp")]
            Self::CSharp => Some(tree_sitter_c_sharp::LANGUAGE.into()),
            #[cfg(feature = "code-go")]
            Self::Go => Some(tree_sitter_go::LANGUAGE.into()),
            #[cfg(feature = "code-java")]
            Self::Java => Some(tree_sitter_java::LANGUAGE.into()),
            #[cfg(feature = "code-javascript")]
            Self::JavaScript => Some(tree_sitter_javascript::LANGUAGE.into()),
            #[cfg(feature = "code-perl")]
            Self::Perl => Some(ts_parser_perl::LANGUAGE.into()),
            #[cfg(feature = "code-php")]
            Self::Php => Some(tree_sitter_php::LANGUAGE_PHP.into()),
            #[cfg(feature = "code-python")]
            Self::Python => Some(tree_sitter_python::LANGUAGE.into()),
            #[cfg(feature = "code-ruby")]
            Self::Ruby => Some(tree_sitter_ruby::LANGUAGE.into()),
            #[cfg(feature = "code-rust")]
            Self::Rust => Some(tree_sitter_rust::LANGUAGE.into()),
            #[cfg(feature = "code-typescript")]
            Self::Tsx => Some(tree_sitter_typescript::LANGUAGE_TSX.into()),
            #[cfg(feature = "code-typescript")]
            Self::TypeScript => Some(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()),
            #[allow(unreachable_patterns, reason = "with every grammar all languages are known")]
            _ => None,
        }
    }

    /// Pieces of text that the parser may read per KiB: about three times what real files need. The Perl scanner looks
    /// far ahead.
    const fn pieces(self) -> usize {
        match self {
            Self::Perl => 256,
            _ => 8,
        }
    }

    /// The token that starts a line comment.
    pub(super) const fn comment(self) -> &'static str {
        match self {
            Self::Bash | Self::Perl | Self::Python | Self::Ruby => "# ",
            _ => "// ",
        }
    }

    /// A statement that does nothing, for languages whose blocks must not be empty.
    pub(super) const fn nothing(self) -> &'static str {
        match self {
            Self::Bash => ": ",
            Self::Python => "... ",
            _ => "",
        }
    }
}
