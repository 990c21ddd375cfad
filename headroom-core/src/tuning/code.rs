//! The numbers of `compress`'s `code`: which bodies of source code stay.

tuning! {
    /// Which bodies, values and comments of source code stay.
    code: CodeTuning {
        /// Shorter texts stay whole.
        min_bytes: usize = 2048 bytes,
        /// Shorter file reads stay whole: agents use names from all over the files that they read.
        min_file_lines: usize = 500 lines,
        /// Lines of a gap, so that its marker saves tokens.
        min_gap_lines: usize = 5 lines,
        /// Bytes of a gap, so that its marker saves tokens.
        min_gap_bytes: usize = 220 bytes,
        /// Lines of a gap in a file that was read.
        file_min_gap_lines: usize = 10 lines,
        /// Bytes of a gap in a file that was read.
        file_min_gap_bytes: usize = 400 bytes,
        /// Lines of a file that stay around one that matches the query.
        context_lines: usize = 8 lines,
        /// One line in this many may stay for being among the best matches of the query.
        lines_per_match: usize = 64 lines from 1,
        /// The least number of best matches that may stay.
        min_best_matches: usize = 6 lines,
        /// Functions of one name that the question has. Of more, none stays for its name.
        max_asked_functions: usize = 8 functions,
        /// Mistakes in the start of a long text that no code has. Code may have some, most of them macros.
        max_mistakes: usize = 48 mistakes,
        /// If more than one byte in this many does not parse, the text is in another language, or in several.
        bytes_per_broken: usize = 8 bytes,
        /// Shorter bodies stay.
        min_body_lines: usize = 5 lines,
        /// Shorter lists of values stay.
        min_data_lines: usize = 24 lines,
        /// In longer bodies, inner functions lose their bodies instead of the outer one.
        long_body_lines: usize = 80 lines,
        /// Values of a list that stay at its start.
        data_head: usize = 4 values,
        /// Values of a list that stay at its end.
        data_tail: usize = 2 values,
        /// Lines of a comment that stay at its start; its last line stays too.
        comment_head: usize = 4 lines,
        /// A last statement of at most this many lines, such as a return, stays.
        short_lines: usize = 2 lines,
    }
}
