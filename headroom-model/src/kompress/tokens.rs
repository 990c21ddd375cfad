//! Tokenizes words.

use std::{fs, path::Path};

use tokenizers::{InputSequence, Tokenizer};

use crate::ModelError;

/// Maximum number of tokens in one window.
const MAX_TOKENS: usize = 512;

/// A tokenizer, with the special tokens that it puts around a text.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    before: Vec<i32>,
    after: Vec<i32>,
    padding: i32,
}

impl Tokens {
    pub(super) fn load(path: &Path) -> Result<Self, ModelError> {
        let read = |source| ModelError::Read { path: path.to_owned(), source };
        let bytes = fs::read(path).map_err(read)?;
        Self::of_json(&bytes).map_err(|message| ModelError::Tokenizer { path: path.to_owned(), message })
    }

    fn of_json(json: &[u8]) -> Result<Self, String> {
        let text = |error: tokenizers::Error| error.to_string();
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(text)?;
        // The lengths in the file serve other uses: here nothing may be truncated.
        let padding = tokenizer.get_padding().map(|padding| padding.pad_id);
        let padding =
            padding.or_else(|| tokenizer.token_to_id("[PAD]")).or_else(|| tokenizer.token_to_id("<pad>"));
        tokenizer.with_truncation(None).map_err(text)?;
        tokenizer.with_padding(None);
        let encoded = |special| tokenizer.encode("a", special).map(|encoding| encoding.get_ids().to_vec());
        let (framed, bare) = (encoded(true).map_err(text)?, encoded(false).map_err(text)?);
        let at = framed.windows(bare.len().max(1)).position(|window| window == bare);
        let at = at.ok_or("it gives no tokens to a letter")?;
        let (before, rest) = framed.split_at_checked(at).unwrap_or_default();
        let after = rest.get(bare.len()..).unwrap_or_default();
        let ids = |ids: &[u32]| ids.iter().copied().map(id).collect::<Result<Vec<_>, _>>();
        let (before, after) = (ids(before)?, ids(after)?);
        if before.len() + after.len() >= MAX_TOKENS {
            return Err("it puts too much around a text".to_owned());
        }
        let padding = id(padding.unwrap_or_default())?;
        Ok(Self { tokenizer, before, after, padding })
    }

    /// Encodes each word.
    pub(super) fn encode(&self, words: &[&str]) -> Result<Vec<Vec<i32>>, String> {
        let mut by_word = vec![Vec::new(); words.len()];
        let encoding =
            self.tokenizer.encode(InputSequence::from(words), false).map_err(|error| error.to_string())?;
        for (token, word) in encoding.get_ids().iter().zip(encoding.get_word_ids()) {
            let tokens = word.and_then(|word| by_word.get_mut(word as usize));
            tokens.ok_or("it gives tokens that belong to no word")?.push(id(*token)?);
        }
        Ok(by_word)
    }

    /// Adds the special tokens around the words.
    pub(super) fn framed(&self, words: &[Vec<i32>]) -> Vec<i32> {
        self.before.iter().chain(words.iter().flatten()).chain(&self.after).copied().collect()
    }

    /// Returns how many tokens of words fit into a window.
    pub(super) const fn room(&self) -> usize {
        MAX_TOKENS - self.before.len() - self.after.len()
    }

    /// Returns how many special tokens precede the words.
    pub(super) const fn before(&self) -> usize {
        self.before.len()
    }

    /// Returns the token that pads shorter rows.
    pub(super) const fn padding(&self) -> i32 {
        self.padding
    }
}

fn id(token: u32) -> Result<i32, String> {
    i32::try_from(token).map_err(|_| "its numbers of tokens are too large".to_owned())
}
