//! The numbers of `compress`'s `table`: which rows of aligned columns stay.

tuning! {
    /// Which rows of tables with aligned columns stay.
    table: TableTuning {
        /// Smaller tables stay whole.
        min_bytes: usize = 2048 bytes,
        /// Tables with fewer lines stay whole.
        min_lines: usize = 60 lines from 2,
        /// Blocks of fewer rows within a text are no tables to choose from.
        min_block_rows: usize = 30 rows,
        /// A gap has at least this much text, so that its marker saves tokens.
        min_gap_bytes: usize = 300 bytes,
        /// A gap has at least this many lines.
        min_gap_lines: usize = 6 lines,
        /// Rows that stay at the start, header included.
        head_rows: usize = 4 rows,
        /// Rows that stay at the end.
        tail_rows: usize = 2 rows,
        /// A column of categories has at most one value per this many rows, within the next two bounds.
        rows_per_category: usize = 10 rows from 1,
        /// A column with this many values may be one of categories however few the rows.
        min_categories: usize = 12 values,
        /// A column with more values is none of categories however many the rows.
        max_categories: usize = 256 values,
        /// A column of categories, and words that can be rare, have at most one value per this many rows.
        rows_per_value: usize = 4 rows,
        /// A value is common if at least one row in this many has it.
        rows_per_common: usize = 20 rows,
        /// A value is rare if one row has it, and one more per this many.
        rows_per_rare: usize = 100 rows from 1,
        /// Rows that stay for rare values or words of one column.
        max_rare: usize = 16 rows,
        /// Kinds of rows that a marker counts.
        summary_values: usize = 3 values,
        /// A table loses its padding if that saves at least one byte in this many.
        bytes_per_saved: usize = 20 bytes from 1,
        /// Columns that make aligned rows a table.
        min_columns: usize = 3 columns from 1,
        /// Percentage of the rows that fit the columns.
        fitting_rows: usize = 80 percent,
        /// Percentage of the rows that reach as far as the columns are looked for.
        reaching_rows: usize = 90 percent,
        /// Rows that make aligned rows a table.
        min_rows: usize = 8 rows from 1,
        /// One row in this many may cross the gap between two columns.
        rows_per_stray: usize = 12 rows from 1,
    }
}
