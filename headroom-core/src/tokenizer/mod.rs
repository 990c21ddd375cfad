//! Counts tokens. An edit is made only if it saves tokens by this count.

mod counter;
mod estimate;
mod known;

#[cfg(any(feature = "tiktoken", test))]
mod vocabulary;

pub use counter::TokenCounter;
pub use estimate::TokenEstimate;
pub(crate) use known::KnownCounts;
#[cfg(any(feature = "tiktoken", test))]
pub use vocabulary::Vocabulary;

/// The token counter for a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokenizer<'a> {
    counter: &'a dyn TokenCounter,
    /// What was counted of the text at hand.
    known: Option<&'a KnownCounts>,
    /// Whether the model's own tokenizer is not public and another is used.
    pub(crate) estimated: bool,
}

impl Tokenizer<'static> {
    /// Returns the tokenizer of a model by its name.
    ///
    /// OpenAI's vocabularies are public. All other families use `o200k_base`: what matters here is which of two texts
    /// is shorter, and on that question tokenizers of this generation agree closely.
    #[cfg(feature = "tiktoken")]
    pub(crate) fn for_model(model: &str) -> Self {
        match vocabulary_of(model) {
            (Vocabulary::O200kBase, is_own) => Self::with(&Vocabulary::O200kBase, is_own),
            (Vocabulary::Cl100kBase, is_own) => Self::with(&Vocabulary::Cl100kBase, is_own),
        }
    }

    /// Returns the estimate, because no vocabulary is compiled in.
    #[cfg(not(feature = "tiktoken"))]
    pub(crate) fn for_model(_: &str) -> Self {
        Self::with(&TokenEstimate, false)
    }
}

impl<'a> Tokenizer<'a> {
    /// Returns the configured counter, or the model's default.
    pub(crate) fn new(configured: Option<&'a dyn TokenCounter>, model: &str) -> Self {
        configured.map_or_else(
            || Tokenizer::for_model(model),
            |counter| Self::with(counter, counter.is_exact_for(model)),
        )
    }

    fn with(counter: &'a dyn TokenCounter, is_exact: bool) -> Self {
        Self { counter, known: None, estimated: !is_exact }
    }

    /// Returns this tokenizer for work on one text.
    pub(crate) fn knowing<'k>(self, known: &'k KnownCounts) -> Tokenizer<'k>
    where
        'a: 'k,
    {
        Tokenizer { known: Some(known), ..self }
    }

    /// Returns the counter's name.
    pub(crate) fn name(self) -> &'static str {
        self.counter.name()
    }

    /// Counts the tokens of a text.
    pub(crate) fn count(self, text: &str) -> usize {
        let count = || self.counter.count(text);
        self.known.map_or_else(count, |known| known.count(text, count))
    }
}

/// Returns the vocabulary to count with for a model, and whether it is the model's own.
#[cfg(any(feature = "tiktoken", test))]
fn vocabulary_of(model: &str) -> (Vocabulary, bool) {
    let name = model.rsplit('/').next().unwrap_or(model);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if starts(&["gpt-4o", "gpt-4.", "gpt-oss", "chatgpt", "o1", "o3", "o4", "codex"]) {
        (Vocabulary::O200kBase, true)
    } else if starts(&["gpt-4", "gpt-3.5", "gpt-35", "text-embedding-"]) {
        (Vocabulary::Cl100kBase, true)
    } else {
        (Vocabulary::O200kBase, starts(&["gpt-"]))
    }
}

/// Whether a text has at least `least` words, and so at least as many tokens.
///
/// A word is delimited by white space and has an ASCII letter or digit. Both vocabularies split a text before they
/// look for tokens, and no piece has letters or digits from both sides of white space.
pub(crate) fn has_words(text: &str, least: usize) -> bool {
    // Words of one byte, and the white space between them.
    text.len() + 1 >= least.saturating_mul(2)
        && text
            .split_ascii_whitespace()
            .filter(|word| word.bytes().any(|byte| byte.is_ascii_alphanumeric()))
            .nth(least.saturating_sub(1))
            .is_some()
}

#[cfg(all(test, feature = "tiktoken"))]
mod tests {
    use super::*;

    #[test]
    fn models_get_their_vocabulary() {
        for (model, name, estimated) in [
            ("gpt-4o-mini", "o200k_base", false),
            ("gpt-4.1", "o200k_base", false),
            ("gpt-4-turbo", "cl100k_base", false),
            ("openai/gpt-5.5", "o200k_base", false),
            ("o3-mini", "o200k_base", false),
            ("claude-opus-5-5", "o200k_base", true),
            ("gemini-3-pro", "o200k_base", true),
            ("", "o200k_base", true),
        ] {
            let tokenizer = Tokenizer::for_model(model);
            assert_eq!((tokenizer.name(), tokenizer.estimated), (name, estimated), "{model}");
        }
    }

    /// Compares counts with those of OpenAI's reference implementation.
    #[test]
    fn counts_as_the_reference_does() {
        let (new, old) = (Tokenizer::for_model("gpt-4o"), Tokenizer::for_model("gpt-4"));
        for (text, o200k, cl100k) in REFERENCE {
            assert_eq!((new.count(text), old.count(text)), (*o200k, *cl100k), "{text:?}");
        }
    }

    /// A sample would see every 16th of this, and none of its rare parts.
    #[test]
    fn long_texts_are_counted_to_the_token() {
        let part = |at: usize| {
            if at.is_multiple_of(977) { "灯台 \u{1f9ea} zxqv".to_owned() } else { format!("row {at}\n") }
        };
        let text: String = (0..100_000).map(part).collect();
        let expected = tiktoken_rs::o200k_base_singleton().count_ordinary(&text);
        assert_eq!(Tokenizer::for_model("gpt-4o").count(&text), expected);
    }

    proptest::proptest! {
        #[test]
        fn texts_have_as_many_tokens_as_words(parts in proptest::collection::vec(proptest::sample::select(vec![
            "a", "word", "Über", "12", "12345", " ", "  ", "\n", "\r\n", "\t", ".", "/", "'s", "don't", "A1b", "\u{a0}", "灯",
            "-", "\u{85}", "{\"k\":", "_", "👩", "e\u{301}", "ALLCAPS", "camelCase",
        ]), 0..60)) {
            let text = parts.concat();
            let words = (1..=text.len() + 1).take_while(|least| has_words(&text, *least)).count();
            let by_hand = text.split_ascii_whitespace().filter(|word| word.contains(|c: char| c.is_ascii_alphanumeric()));
            assert_eq!(words, by_hand.count());
            for model in ["gpt-4o", "gpt-4"] {
                assert!(Tokenizer::for_model(model).count(&text) >= words, "{text:?}");
            }
        }
    }

    const REFERENCE: &[(&str, usize, usize)] = &[
        ("", 0, 0),
        ("hello world", 2, 2),
        ("  415\tself.x = y\n", 8, 8),
        ("数据库连接失败，请重试", 6, 6),
        ("مرحبا بالعالم", 4, 10),
        ("👩\u{200d}👩\u{200d}👧 family 🎉🎉", 13, 20),
        ("aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", 21, 21),
        ("<|endoftext|>", 7, 7),
        ("2024-01-15T10:00:00Z ERROR [pool-3] timeout after 30000ms\r\n", 26, 26),
        ("\n\n\n\t\t  }", 3, 3),
    ];
}
