//! The numbers of `compress`'s `log`: which lines of logs, command output and files stay.

tuning! {
    /// Which lines of logs, command output and files stay.
    log: LogTuning {
        /// Smaller texts stay whole: a marker and the loss of context cost more than they save.
        min_bytes: usize = 2048 bytes,
        /// Texts with fewer lines stay whole.
        min_lines: usize = 30 lines from 1,
        /// A gap has at least this much text; a marker costs about half of it.
        min_gap_bytes: usize = 300 bytes,
        /// A gap has at least this many lines.
        min_gap_lines: usize = 6 lines,
        /// From this size on two lines are enough for a gap.
        long_gap_bytes: usize = 400 bytes,
        /// Lines that stay at the start of a text.
        head_lines: usize = 3 lines,
        /// Lines that stay at the end of a text, where results stand.
        tail_lines: usize = 4 lines,
        /// Lines that stay above a marker of repeated lines, since it refers back to them.
        fold_lines: usize = 8 lines,
        /// Lines that stay before and after an error.
        context_lines: usize = 2 lines,
        /// Lines of a stack trace that stay below an error.
        max_trace_lines: usize = 40 lines,
        /// Places at which the mix of kinds of lines changes that stay.
        max_changes: usize = 8 lines,
        /// New words that a message of a compiler must have to stay where most have some: it is raised up to this.
        max_new_words: usize = 8 words from 1,
        /// From this many errors on that match the question, these are its subject, and the others lose their repetitions.
        min_matches: usize = 3 lines,
        /// One line in this many may stay for being among the best matches of the query.
        lines_per_match: usize = 16 lines from 1,
        /// The least number of best matches that may stay.
        min_best_matches: usize = 8 lines,
        /// A kind of line is rare if it has one line, and one more per this many.
        lines_per_rare: usize = 1000 lines from 1,
        /// Rare lines stay if they are at most one line in this many, and some more.
        rare_ratio: usize = 8 lines from 1,
        /// Rare lines that may stay beyond their share, so that short texts have some.
        spare_rare: usize = 16 lines,
        /// Rare rows stay if they are at most one row in this many: rows of a table combine few parts in ever new ways.
        rare_row_ratio: usize = 10 rows from 1,
        /// Rare rows that may stay beyond their share.
        spare_rare_rows: usize = 8 rows,
        /// Messages of a compiler with new words stay, up to one line in this many and some more.
        new_ratio: usize = 6 lines from 1,
        /// Messages with new words that stay beyond their share.
        spare_new: usize = 24 lines,
        /// Errors all stay up to one line in this many; of more, those that show something new.
        error_ratio: usize = 10 lines from 1,
        /// Errors all stay up to this many in short texts.
        min_errors: usize = 20 lines,
        /// Warnings all stay up to one line in this many; of more, those that show something new.
        warning_ratio: usize = 20 lines from 1,
        /// Warnings all stay up to this many in short texts.
        min_warnings: usize = 8 lines,
        /// How often a combination of two words is new in an error line.
        error_repeats: u16 = 2 times,
        /// A window in which kinds are counted has one line in this many.
        lines_per_window: usize = 40 lines from 1,
        /// The shortest window.
        min_window: usize = 16 lines from 1,
        /// The longest window.
        max_window: usize = 256 lines,
        /// The mix of kinds changes where this part of the lines of two windows differ.
        min_difference: usize = 7 eighths,
        /// A text in which more than one window in this many begins with a change has no points of change.
        windows_per_change: usize = 4 windows,
        /// Percentage of the rows of a table with the same number of delimiters.
        same_cells: usize = 80 percent,
        /// A gap is described by its passed tests if these are one line in this many.
        lines_per_test: usize = 5 lines,
        /// A gap is described by its levels if this percentage of the lines has one.
        min_levels: usize = 75 percent,
        /// Characters of an example line in the description of a gap.
        max_example: usize = 32 characters,
        /// Lines of a stack trace that must equal earlier ones to be described as these.
        min_repeated_lines: usize = 4 lines,
        /// Shorter file reads stay whole: agents use names from all over the files that they read.
        file_min_lines: usize = 700 lines from 1,
        /// A gap in a file has at least this many lines.
        file_min_gap_lines: usize = 20 lines,
        /// A gap in a file has at least this much text.
        file_min_gap_bytes: usize = 700 bytes,
        /// Lines that stay at the start of a file, where it states its purpose and its imports.
        file_head_lines: usize = 40 lines,
        /// Lines that stay at the end of a file.
        file_tail_lines: usize = 12 lines,
        /// Lines that stay around a line of a file that matches the query.
        file_context_lines: usize = 8 lines,
        /// Definitions that are indented further are details and do not stay.
        file_max_indent: usize = 4 columns,
        /// One line of a file in this many may stay for being among the best matches of the query.
        file_lines_per_match: usize = 100 lines from 1,
        /// The least number of best matches that may stay in a file.
        file_min_best_matches: usize = 6 lines,
    }
}

tuning! {
    /// Which whole records stay: commits, vertical rows, items of YAML lists, resources of a plan.
    log_records: LogRecordTuning {
        /// Records that stay at the start.
        head_records: usize = 2 records,
        /// Records that stay at the end.
        tail_records: usize = 1 records,
        /// Longer records that stay lose lines in their middle.
        max_lines: usize = 60 lines,
        /// Lines of such a record that stay, half at each end.
        shown_lines: usize = 40 lines,
        /// Records that stay for the values of one key, for rare keys, and for kinds of heads.
        max_rare: usize = 16 records,
        /// A key has few values if there is at most one per this many records.
        records_per_value: usize = 4 records from 1,
        /// A term of the query that more than one record in this many has tells none from the others.
        records_per_term: usize = 4 records from 1,
        /// The least number of records that a term may be in.
        min_records_of_term: usize = 8 records,
        /// One record in this many may stay for being among the best matches of the query.
        records_per_match: usize = 8 records from 1,
        /// The least number of best matches that may stay.
        min_best_matches: usize = 6 records,
        /// Records with an error stay up to one in this many; if more have one, errors are usual.
        records_per_error: usize = 5 records from 1,
        /// Records with an error stay up to this many if there are few records.
        min_errors: usize = 3 records,
        /// A key or value is rare if one record has it, and one more per this many.
        records_per_rare: usize = 50 records from 1,
        /// A value that tells of trouble is kept if at most one record in this many has it.
        records_per_trouble: usize = 4 records,
        /// Values of a key that are compared; a key with more has a value of its own for each record.
        max_values: usize = 256 values,
        /// Numbers of a line that is no field that are compared.
        max_numbers: usize = 6 numbers,
    }
}
