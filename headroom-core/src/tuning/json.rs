//! The numbers of `compress`'s `json` and `json_lines`: which rows of arrays and parts of strings stay.

tuning! {
    /// Which arrays and strings are shortened, and when tables pay.
    json: JsonTuning {
        /// Texts below this size stay whole: agents use any part of small ones.
        min_bytes: usize = 4096 bytes,
        /// Arrays below this size stay whole.
        min_array_bytes: usize = 2048 bytes,
        /// Arrays with fewer elements stay whole.
        min_elements: usize = 40 rows from 2,
        /// From this size on fewer elements are enough.
        large_bytes: usize = 24576 bytes,
        /// Elements of such a large array.
        min_large_elements: usize = 24 rows,
        /// Rows from which on an array of objects is written as a table.
        min_table_rows: usize = 2 rows from 2,
        /// Tables of at most this percentage of the text are shorter in tokens too, and compact JSON is not tried.
        clear_tables: usize = 75 percent,
        /// Rows from which on an address made of another column is worth a pattern.
        min_pattern_rows: usize = 3 rows,
        /// Strings below this size are not shortened like a text of their own.
        string_min_bytes: usize = 4096 bytes,
        /// Strings below this size hold no data that is worth a marker.
        string_min_data_bytes: usize = 512 bytes,
        /// A string is shortened if that saves at least one byte in this many.
        string_bytes_per_saved: usize = 5 bytes from 1,
        /// Percentage of a text in lines of JSON from which on these are rows.
        lines_min_share: usize = 50 percent,
        /// A gap between lines of JSON has at least this many lines.
        lines_min_gap_lines: usize = 6 lines,
        /// A gap between lines of JSON has at least this much text.
        lines_min_gap_bytes: usize = 300 bytes,
        /// From this size on two lines are enough for a gap.
        lines_long_gap_bytes: usize = 400 bytes,
    }
}

tuning! {
    /// Which rows of an array stay. A share is one row in so many, within bounds.
    json_rows: JsonRowTuning {
        /// Rows that stay at the start if others match the query.
        head_rows: usize = 2 rows,
        /// Rows that stay at the end if others match the query.
        tail_rows: usize = 1 rows,
        /// Rows that stay at the start if none match.
        wide_head_rows: usize = 3 rows,
        /// Rows that stay at the end if none match.
        wide_tail_rows: usize = 2 rows,
        /// Matching rows that show what the array is about.
        min_matches: usize = 3 rows,
        /// Shorter arrays stay whole without matches.
        unasked_min_rows: usize = 60 rows,
        /// Arrays of at least this size may be shortened without matches, whatever their length.
        unasked_min_bytes: usize = 16384 bytes,
        /// Columns with more different values do not tell kinds of rows.
        max_kinds: usize = 12 values,
        /// Columns with texts of more shapes do not tell kinds of rows.
        max_shapes: usize = 24 shapes,
        /// Longer cells are texts rather than fields.
        max_field_bytes: usize = 40 bytes,
        /// A column of states, such as levels or status codes, has at most this many.
        max_states: usize = 24 values,
        /// An identifier of the query that more than one row in this many has names none.
        rows_per_identifier: usize = 4 rows from 1,
        /// The least number of rows that an identifier may be in.
        min_rows_of_identifier: usize = 8 rows,
        /// The greatest number of rows that an identifier may be in.
        max_rows_of_identifier: usize = 200 rows,
        /// A word of the query that more than one row in this many has names none.
        rows_per_word: usize = 4 rows from 1,
        /// The least number of rows that a word may be in.
        min_rows_of_word: usize = 8 rows,
        /// The greatest number of rows that a word may be in.
        max_rows_of_word: usize = 40 rows,
        /// The share of rows that match the query best.
        rows_per_match: usize = 5 rows from 1,
        /// The least number of these.
        min_best_matches: usize = 12 rows,
        /// The greatest number of these.
        max_best_matches: usize = 40 rows,
        /// Rows with at least this part of the best score match well.
        close_score: u32 = 2 thirds,
        /// The share of rows whose state is an error.
        rows_per_error: usize = 16 rows from 1,
        /// The least number of these.
        min_errors: usize = 12 rows,
        /// The greatest number of these.
        max_errors: usize = 100 rows,
        /// The share of rows whose text alone tells of an error.
        rows_per_text_error: usize = 48 rows from 1,
        /// The least number of these.
        min_text_errors: usize = 6 rows,
        /// The greatest number of these.
        max_text_errors: usize = 24 rows,
        /// The share of rows with a warning if rows match the query.
        rows_per_warning: usize = 96 rows from 1,
        /// The share of rows with a warning if none match.
        unasked_rows_per_warning: usize = 48 rows from 1,
        /// The least number of these.
        min_warnings: usize = 3 rows,
        /// The greatest number of these.
        max_warnings: usize = 30 rows,
        /// The share of rows that show a kind if rows match the query.
        rows_per_kind: usize = 64 rows from 1,
        /// The least number of these.
        min_kinds_shown: usize = 1 rows,
        /// The greatest number of these.
        max_kinds_shown: usize = 16 rows,
        /// The share of rows that show a kind if none match.
        unasked_rows_per_kind: usize = 12 rows from 1,
        /// The least number of these.
        unasked_min_kinds_shown: usize = 6 rows,
        /// The greatest number of these.
        unasked_max_kinds_shown: usize = 40 rows,
        /// A value, a shape or a key is rare if it is in at most one row in this many.
        rows_per_rare: usize = 100 rows from 1,
        /// A column has a long tail, whose values tell nothing, if more than one row in this many has a rare value.
        rows_per_tail: usize = 8 rows,
        /// The share of rows with something rare.
        rows_per_rare_shown: usize = 12 rows from 1,
        /// The least number of these.
        min_rare: usize = 8 rows,
        /// The greatest number of these.
        max_rare: usize = 64 rows,
        /// Rows with something rare beyond their share.
        spare_rare: usize = 8 rows,
        /// Rows without a usual key stay unless there are more than this many times the rare ones.
        max_missing: usize = 4 times,
        /// The share of rows with outliers.
        rows_per_outlier: usize = 32 rows from 1,
        /// The least number of these.
        min_outliers: usize = 6 rows,
        /// The greatest number of these.
        max_outliers: usize = 48 rows,
        /// Rows that stay at each end of a ranking.
        ranked_rows: usize = 5 rows,
        /// Columns that count as rankings.
        max_rankings: usize = 3 columns,
        /// Changes of the level of a series that stay; of more than twice as many none does.
        max_changes: usize = 4 rows,
        /// Numbers of a text that are compared.
        max_places: usize = 8 numbers,
        /// A level is the median of one row in this many.
        rows_per_window: usize = 20 rows from 1,
        /// The shortest window of a level.
        min_window: usize = 8 rows from 1,
        /// The longest window of a level.
        max_window: usize = 256 rows,
        /// Levels differ by at least this many times the median deviation within them.
        min_jump: f32 = 6.0 times,
        /// The least deviation of a level, as a share of it.
        min_noise: f32 = 0.02 share,
        /// A column has classes of equal or similar values up to one per this many rows, and a few more.
        rows_per_class: usize = 8 rows from 1,
        /// Classes of a column beyond its share.
        spare_classes: usize = 4 values,
        /// Percentage of the cells of a column of numbers.
        numeric_share: usize = 90 percent,
        /// Percentage of the steps of a sequence that go in one direction.
        sequence_share: usize = 80 percent,
        /// Different values that the summary of a gap counts.
        summary_max_values: usize = 6 values,
        /// Columns whose values the summary counts.
        summary_max_categories: usize = 1 columns,
        /// Columns whose range the summary gives.
        summary_max_ranges: usize = 1 columns,
        /// Bytes of a value or name in the summary.
        summary_max_bytes: usize = 24 bytes,
    }
}
