//! The numbers of `decide`: which rendering of a block pays.

tuning! {
    /// Which rendering of a block pays.
    decide: DecideTuning {
        /// Smaller blocks stay unchanged: no marker would save tokens.
        min_bytes: usize = 160 bytes,
        /// A rewriting of a whole block saves at least one token in this many.
        tokens_per_saved: usize = 20 tokens from 1,
        /// A reference saves at least this many tokens.
        min_saved_tokens: usize = 8 tokens,
        /// Shorter pages are no pages to read.
        page_min_bytes: usize = 2048 bytes,
        /// Lines before a page that are no head of an HTTP response.
        page_max_lines: usize = 8 lines,
        /// The longest of these lines.
        page_max_line: usize = 200 bytes,
    }
}
