//! The numbers of `compress`'s `search`: which hits stay.

tuning! {
    /// Which hits of a search stay.
    search: SearchTuning {
        /// Smaller results stay whole.
        min_bytes: usize = 3072 bytes,
        /// Results with fewer lines stay whole.
        min_lines: usize = 40 lines,
        /// Every hit of a smaller result stays: which ones will be used is unknown, and a marker saves little.
        min_choice_bytes: usize = 6144 bytes,
        /// Results with context stay whole up to this many lines: they are read like files, and names from all over them
        /// are used.
        min_lines_with_context: usize = 200 lines,
        /// A gap has at least this much text, so that its marker saves tokens.
        min_gap_bytes: usize = 300 bytes,
        /// A gap has at least this many lines.
        min_gap_lines: usize = 4 lines,
        /// A longer line is from a file that no person wrote.
        long_line_bytes: usize = 500 bytes,
        /// Definitions of a file that stay in addition to its first hits.
        definitions: u32 = 4 hits,
        /// Definitions stand out if they are at most one hit in this many.
        hits_per_definition: usize = 3 hits,
        /// Context rows that stay on each side of a hit.
        context_lines: usize = 12 lines,
        /// All hits in a file with at most this many stay, unless there are very many files.
        few_in_file: u32 = 24 hits,
        /// From this many hits on, files with few hits lose some: in tests.
        many_hits: u32 = 100 hits,
        /// From this many hits on, files with few hits lose some: in files that people wrote.
        very_many_hits: u32 = 400 hits,
        /// Hits that stay in a file with more, of few hits in all.
        shown_of_few: u32 = 8 hits,
        /// Hits that stay in a file that people wrote, of many hits in all.
        shown_of_many: u32 = 5 hits,
        /// Hits that stay in a test, of many hits in all.
        shown_of_tests: u32 = 3 hits,
        /// Hits that stay in a file that people wrote or in a log, of very many hits in all.
        shown_of_very_many: u32 = 3 hits,
        /// Hits that stay in a test, of very many hits in all.
        shown_of_very_many_tests: u32 = 2 hits,
        /// Hits that stay in a generated file.
        shown_of_generated: u32 = 1 hits,
        /// Hits with the same text that count as first hits of their files.
        same_text: u32 = 3 hits,
        /// A file with more hits may be a log.
        log_hits: u32 = 50 hits,
        /// From this many hits on, test files and generated files may go as a whole.
        crowded_hits: u32 = 80 hits,
        /// They go if this many hits are in files that people wrote.
        min_written_hits: u32 = 12 hits,
        /// Files that one marker names.
        named_in_marker: usize = 24 files,
        /// The file that was searched shows one hit in this many of all.
        hits_per_searched: u32 = 4 hits from 1,
        /// The least number of hits that the file that was searched shows.
        min_searched: u32 = 8 hits,
        /// The greatest number of hits that the file that was searched shows.
        max_searched: u32 = 40 hits,
        /// A file that the query names stays whole if it has at most one line in this many.
        lines_per_named: usize = 4 lines from 1,
        /// A file that the query names stays whole up to this many hits in short results.
        min_named: usize = 64 hits,
        /// From this many hits on, rows lose their paths in files with many: elsewhere each path stays, to be quoted.
        path_min_hits: usize = 100 hits,
        /// Rows of a file with at least this many hits lose their paths.
        path_min_hits_of_file: usize = 14 hits,
        /// JSON events of fewer hits stay as they are.
        min_events: usize = 3 hits,
    }
}
