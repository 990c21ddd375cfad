//! The numbers of `compress`'s `diff`: which lines of a diff stay.

tuning! {
    /// Which lines of a diff stay.
    diff: DiffTuning {
        /// Smaller diffs stay whole.
        min_bytes: usize = 1024 bytes,
        /// Diffs with fewer lines stay whole.
        min_lines: usize = 20 lines,
        /// A gap has at least this much text, so that its marker saves tokens.
        min_gap_bytes: usize = 300 bytes,
        /// A gap has at least this many lines.
        min_gap_lines: usize = 6 lines,
        /// Unchanged lines that stay next to a change when the middle of a longer run goes.
        context_lines: usize = 6 lines,
        /// A run of more unchanged lines loses its middle.
        long_context_lines: usize = 24 lines,
        /// A diff with more lines in files that people wrote is huge, and each file gets a share.
        huge_lines: usize = 2000 lines,
        /// Lines of a huge diff that stay.
        shown_lines: usize = 1200 lines,
        /// Lines that stay of each file of a huge diff at least.
        min_lines_of_file: usize = 12 lines,
        /// Lines that stay of a file of a huge diff that the query names.
        max_lines_of_named_file: usize = 600 lines,
        /// Commits that make the diffs of a text a history.
        min_commits: usize = 2 commits from 2,
        /// A history with fewer lines in its diffs stays whole.
        small_history_lines: usize = 60 lines,
        /// Percentage of these lines that stay, within the next two bounds.
        history_share: usize = 25 percent,
        /// Lines that stay of a history at least.
        min_history_lines: usize = 40 lines,
        /// Lines that stay of a history at most, but for what the query names.
        max_history_lines: usize = 400 lines,
        /// Files of a history that a marker names.
        summary_files: usize = 8 files,
        /// Lines that stay around one that matches the query.
        lines_around_match: usize = 8 lines,
        /// A longer line is from a file that no person wrote.
        long_line_bytes: usize = 1000 bytes,
        /// Lines at the start of a file in which it may say that it is generated.
        generated_lines: usize = 8 lines,
    }
}
