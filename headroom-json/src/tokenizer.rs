//! Reads JSON by the grammar of RFC 8259, and passes each token to a sink.
//!
//! This is the only place that knows the grammar: the views differ in what they record of the tokens.

use crate::{
    Error,
    lexeme::{self, StringContent},
};

/// An array or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Array,
    Object,
}

/// A place in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) at: usize,
    /// Bytes of insignificant white space before it.
    pub(crate) space: usize,
}

/// Receives the tokens of a text in order.
pub(crate) trait Sink {
    /// Receives the opening bracket of an array or object.
    fn open(&mut self, container: Container, start: Position) -> Result<(), Error>;

    /// Receives the end of the innermost open array or object, after its bracket.
    fn close(&mut self, end: Position) -> Result<(), Error>;

    /// Receives the key of the next value.
    fn key(&mut self, key: StringContent) -> Result<(), Error>;

    /// Receives a string that is no key.
    fn string(&mut self, string: StringContent) -> Result<(), Error>;

    /// Receives a number, `true`, `false` or `null`.
    fn scalar(&mut self, start: usize, end: usize) -> Result<(), Error>;
}

#[derive(Debug)]
pub(crate) struct Tokenizer<'a> {
    bytes: &'a [u8],
    here: Position,
    /// The arrays and objects that are open.
    open: Vec<Container>,
    max_depth: usize,
}

impl<'a> Tokenizer<'a> {
    pub(crate) const fn new(text: &'a str, max_depth: usize) -> Self {
        let here = Position { at: 0, space: 0 };
        Self { bytes: text.as_bytes(), here, open: Vec::new(), max_depth }
    }

    /// Returns the offset of the next token, or of the one that could not be read.
    pub(crate) const fn at(&self) -> usize {
        self.here.at
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.here.at == self.bytes.len()
    }

    /// Reads one value with everything in it, from its first byte on.
    #[inline]
    pub(crate) fn value(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        loop {
            match self.peek() {
                Some(b'{') => {
                    self.enter(Container::Object, sink)?;
                    if self.peek() != Some(b'}') {
                        self.key(sink)?;
                        continue;
                    }
                    self.leave(sink)?;
                }
                Some(b'[') => {
                    self.enter(Container::Array, sink)?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                    self.leave(sink)?;
                }
                Some(b'"') => {
                    let string = lexeme::string(self.bytes, self.here.at).ok_or(Error::NotJson)?;
                    self.here.at = string.end + 1;
                    sink.string(string)?;
                }
                _ => {
                    let start = self.here.at;
                    self.here.at = self.scalar_end().ok_or(Error::NotJson)?;
                    sink.scalar(start, self.here.at)?;
                }
            }
            if self.after_value(sink)? {
                return Ok(());
            }
        }
    }

    /// Reads on to the next value; returns whether the outermost one has ended.
    #[inline]
    fn after_value(&mut self, sink: &mut impl Sink) -> Result<bool, Error> {
        while let Some(container) = self.open.last().copied() {
            self.skip_space();
            match (self.peek(), container) {
                (Some(b','), Container::Array) => {
                    self.punctuation();
                    return Ok(false);
                }
                (Some(b','), Container::Object) => {
                    self.punctuation();
                    self.key(sink)?;
                    return Ok(false);
                }
                (Some(b'}'), Container::Object) | (Some(b']'), Container::Array) => self.leave(sink)?,
                _ => return Err(Error::NotJson),
            }
        }
        Ok(true)
    }

    /// Reads a comma and the white space around it; returns whether there is one.
    pub(crate) fn comma(&mut self) -> bool {
        self.skip_space();
        let is_one = self.peek() == Some(b',');
        if is_one {
            self.punctuation();
        }
        is_one
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        let start = self.here.at;
        while self.peek().is_some_and(lexeme::is_space) {
            self.here.at += 1;
        }
        self.here.space += self.here.at - start;
    }

    #[inline]
    fn key(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        if self.peek() != Some(b'"') {
            return Err(Error::NotJson);
        }
        let key = lexeme::string(self.bytes, self.here.at).ok_or(Error::NotJson)?;
        self.here.at = key.end + 1;
        sink.key(key)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(Error::NotJson);
        }
        self.punctuation();
        Ok(())
    }

    #[inline]
    fn enter(&mut self, container: Container, sink: &mut impl Sink) -> Result<(), Error> {
        if self.open.len() >= self.max_depth {
            return Err(Error::TooDeep);
        }
        self.open.push(container);
        sink.open(container, self.here)?;
        self.punctuation();
        Ok(())
    }

    #[inline]
    fn leave(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        self.open.pop();
        self.here.at += 1;
        sink.close(self.here)
    }

    /// Skips one structural byte and the white space after it.
    #[inline]
    fn punctuation(&mut self) {
        self.here.at += 1;
        self.skip_space();
    }

    #[inline]
    fn scalar_end(&self) -> Option<usize> {
        match self.peek()? {
            b't' | b'f' | b'n' => lexeme::literal_end(self.bytes, self.here.at),
            _ => lexeme::number_end(self.bytes, self.here.at),
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.here.at).copied()
    }
}
