//! The numbers of what applies to any text: repeated lines, references, line numbers, embedded data.

tuning! {
    /// What applies to any text: repeated lines, references, line numbers, embedded data.
    text: TextTuning {
        /// Bytes that folding repeated lines must save, not counting those that cost no tokens.
        fold_min_gain: usize = 16 bytes,
        /// A line of this length is found again by itself, others together with the next ones.
        reference_long_line: usize = 160 bytes,
        /// Lines by which the start of a repeated part is found.
        reference_anchor_lines: usize = 3 lines from 1,
        /// A repeated part below this size is never worth a reference.
        reference_min_bytes: usize = 80 bytes,
        /// Earlier places of a part that are compared, the newest first.
        reference_candidates: usize = 8 places,
        /// Line numbers that must go, so that the line that says so saves tokens.
        min_numbers_left_out: usize = 12 numbers,
        /// Data in base64 below this size costs little more than a marker.
        data_min_bytes: usize = 512 bytes,
        /// Data of no known type below this size may be a token that a later call needs.
        data_min_unknown_bytes: usize = 2048 bytes,
        /// Lines of equal length that are data.
        data_min_lines: usize = 12 lines,
        /// The shortest such lines.
        data_min_width: usize = 48 bytes,
        /// The longest such lines.
        data_max_width: usize = 128 bytes,
    }
}
