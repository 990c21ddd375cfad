//! Grammars and parsers.

use std::{cell::RefCell, ops::ControlFlow};

use tree_sitter::{LanguageError, ParseOptions, ParseState, Parser, Tree};

use super::{errors, kinds::Kinds};
use crate::compress::{language::Language, source::bracket};

/// Rounds of a hundred parser operations allowed per KiB of text that is read. None of two thousand files written by people took
/// more than six tenths of it; a text that takes more is not in the assumed language.
const ROUNDS_PER_KIB: usize = 40;
const SPARE_ROUNDS: usize = 2000;
/// The parser reads the text in pieces of this many bytes, and at most [`Language::pieces`] of them per KiB of text: a
/// scanner that looks ahead from every position reads more.
const PIECE: usize = 4096;
/// KiB added to the length of a text when limits are computed, for short texts.
const SPARE: usize = 32;

/// Bytes of the starts of a text that are parsed before all of it is.
const STARTS: [usize; 3] = [512, 4 << 10, 32 << 10];
/// Mistakes that a cut between two lines may make: one or two for each block that is open there.
const MISTAKES_OF_A_CUT: usize = 4;

/// A parser for one language.
pub(super) struct Grammar {
    parser: Parser,
    /// Pieces of text that the parser may read per KiB.
    pieces: usize,
    pub(super) kinds: Kinds,
}

impl Grammar {
    fn new(language: &tree_sitter::Language, pieces: usize, assigns: bool) -> Result<Self, LanguageError> {
        let mut parser = Parser::new();
        parser.set_language(language)?;
        let kinds = Kinds::new(language, assigns);
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
        self.parse_while(text, earlier, |_| true)
    }

    /// Whether a text has no mistake. Starts of it are tried first, and the parser ends soon after it is lost: most texts that
    /// are tried are in another language or none, and to recover from mistakes takes a parser longest.
    pub(super) fn takes(&mut self, text: &str) -> bool {
        for bytes in STARTS {
            let start = start_of(text, bytes).filter(|start| start.len() * 2 < text.len());
            let is_lost = |start| self.parse(start).is_none_or(|tree| errors(&tree) > MISTAKES_OF_A_CUT);
            if start.is_some_and(is_lost) {
                return false;
            }
        }
        self.parse_while(text, None, |state| !state.has_error()).is_some_and(|tree| errors(&tree) == 0)
    }

    /// Parses as long as this holds.
    fn parse_while(
        &mut self,
        text: &str,
        earlier: Option<&Tree>,
        goes_on: impl Fn(&ParseState) -> bool,
    ) -> Option<Tree> {
        // A parser that is lost tries many ways without getting on.
        let mut rounds = 0_usize;
        let mut progress = |state: &ParseState| {
            rounds += 1;
            let allowed = (state.current_byte_offset() >> 10).saturating_mul(ROUNDS_PER_KIB) + SPARE_ROUNDS;
            if rounds <= allowed && goes_on(state) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
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

/// Returns the first lines of a text, `bytes` long or up to twice that, to a line end where no bracket is open. `None` if there is
/// none, or if a comment or a string of several lines may be open there: what is left of it would be full of mistakes.
fn start_of(text: &str, bytes: usize) -> Option<&str> {
    let mut depths = [0_isize; 3];
    let mut ends = text.bytes().take(bytes * 2).enumerate().filter(|(at, byte)| {
        let Some((kind, step)) = bracket(*byte) else {
            return *byte == b'\n' && *at >= bytes && depths == [0; 3];
        };
        if let Some(depth) = depths.get_mut(kind) {
            *depth += step;
        }
        false
    });
    let start = text.get(..=ends.next()?.0)?;
    let is_even = |sign: &str| start.matches(sign).count() % 2 == 0;
    let is_closed = start.matches("/*").count() == start.matches("*/").count();
    let may_go_on = ["<<", "\n="].iter().any(|opening| start.contains(opening));
    (is_closed && !may_go_on && ["\"", "`", "\"\"\"", "'''"].into_iter().all(is_even)).then_some(start)
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
        None => Grammar::new(&language.grammar()?, language.pieces(), language == Language::Php).ok()?,
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

    /// Whether a name that is declared in a block has a meaning until the end of the function.
    pub(super) const fn has_function_scope(self) -> bool {
        matches!(self, Self::Bash | Self::Php | Self::Python | Self::Ruby)
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
