use std::cell::RefCell;

/// Smaller parts of the text are counted again: looking for many of them would take longer.
const MIN_PART: usize = 16;

/// What was counted of one text, so that no piece of it is counted twice.
#[derive(Debug)]
pub(crate) struct KnownCounts {
    /// The address and length of the text, which outlives this.
    text: (usize, usize),
    /// Offset, length and tokens of pieces.
    pieces: RefCell<Vec<(usize, usize, usize)>>,
}

impl KnownCounts {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: (text.as_ptr() as usize, text.len()), pieces: RefCell::default() }
    }

    /// Returns the known count of a text, or counts it, and remembers it if it is a piece of the one text.
    pub(super) fn count(&self, text: &str, count: impl FnOnce() -> usize) -> usize {
        let offset = (text.as_ptr() as usize).checked_sub(self.text.0);
        let piece = offset
            .filter(|offset| text.len() * MIN_PART >= self.text.1 && offset + text.len() <= self.text.1);
        let Some(offset) = piece else { return count() };
        let is_piece = |(at, length, _): &&(usize, usize, usize)| (*at, *length) == (offset, text.len());
        if let Some((_, _, tokens)) = self.pieces.borrow().iter().rev().find(is_piece) {
            return *tokens;
        }
        let tokens = count();
        self.pieces.borrow_mut().push((offset, text.len(), tokens));
        tokens
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn pieces_of_the_text_are_counted_once_and_other_texts_each_time() {
        let text = "word ".repeat(1000);
        let known = KnownCounts::new(&text);
        let counted = Cell::new(0);
        let count = |text: &str| {
            known.count(text, || {
                counted.set(counted.get() + 1);
                text.len()
            })
        };
        for _ in 0..3 {
            assert_eq!((count(&text), count(&text[5..]), count(&text[5..1000])), (5000, 4995, 995));
        }
        assert_eq!(counted.get(), 3);
        let other = text.clone();
        assert_eq!((count(&other), count(&other), count(&text[..10])), (5000, 5000, 10));
        assert_eq!(counted.get(), 6);
    }
}
