//! The numbers of `relevance`: what a query names, what is rare, and what lies far from the others.

tuning! {
    /// What a query names, what is rare, and what lies far from the others.
    relevance: RelevanceTuning {
        /// A term names lines if it is in at most one line in this many.
        lines_per_term: u32 = 4 lines from 1,
        /// A common word names lines if it is in at most one line in this many.
        lines_per_narrow_term: u32 = 32 lines from 1,
        /// Terms name lines up to this many in short texts.
        min_lines_of_term: u32 = 8 lines,
        /// A term is related to some lines of a text if it is in at most this percentage of them.
        max_related: usize = 50 percent,
        /// A term that more than this percentage of the lines have scores nothing.
        max_scored: usize = 90 percent,
        /// A word of a log is a value if it is in one line, and one more per this many.
        lines_per_rare_word: usize = 1000 lines from 1,
        /// Fewer numbers in one place have no usual range.
        min_values: usize = 12 numbers,
        /// Median deviations from the median that make an outlier.
        min_deviations: f32 = 10.0 deviations,
        /// Outliers of one place that stay.
        max_outliers: usize = 4 lines,
        /// Numbers that differ from equal others are outliers if they are at most one in this many.
        values_per_outlier: usize = 50 numbers from 1,
        /// Numbers that rise in this percentage of their steps are a counter or a clock, which has no outliers.
        max_rises: usize = 80 percent,
        /// A silence is this many times as long as the usual interval between times.
        silence_times: i64 = 20 times,
        /// A silence lasts at least this long.
        silence_millis: i64 = 5000 milliseconds,
        /// A silence is this many times as long as nearly all intervals.
        silence_times_of_most: i64 = 4 times,
        /// One interval in this many may be longer than nearly all.
        intervals_per_stray: usize = 20 intervals from 1,
        /// Silences of a text that stay.
        max_silences: usize = 4 silences,
        /// A counter jumps once, and once more per this many values; what jumps more often is none.
        values_per_jump: usize = 60 numbers from 1,
    }
}
