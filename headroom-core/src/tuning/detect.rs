//! The numbers of `detect`: what kind of content a text is.

tuning! {
    /// What kind of content a text is, by the shares of its lines.
    detect: DetectTuning {
        /// Percentage of JSON lines that makes JSON.
        json: usize = 95 percent,
        /// Percentage of lines of a diff that makes one.
        diff: u32 = 50 percent,
        /// Percentage of lines with tags that makes a page.
        html: usize = 50 percent,
        /// Percentage of lines of dense data that makes a blob.
        blob: usize = 60 percent,
        /// Length of a line of dense data.
        min_blob_bytes: usize = 400 bytes,
        /// Percentage of hits that makes the result of a search.
        search: usize = 60 percent,
        /// The same, by what a parser reads as rows of one file after another.
        search_rows: u32 = 60 percent,
        /// Percentage of log lines that makes a log.
        log: usize = 40 percent,
        /// Percentage of log lines that makes a log where nothing else is known: some, with other output between them.
        some_log: usize = 15 percent,
        /// Percentage of entries that makes a listing.
        listing: u32 = 70 percent,
        /// Percentage of lines with permissions that makes a table.
        permissions: usize = 50 percent,
        /// Percentage of lines in aligned columns that makes a table.
        table: u32 = 70 percent,
        /// Percentage of lines with gaps like columns that makes a table.
        rows: usize = 90 percent,
        /// Percentage of lines with the bars of a ruled table that makes one.
        ruled: usize = 70 percent,
        /// Percentage of lines of code that makes code.
        code: usize = 35 percent,
        /// Percentage of lines of code in a text that may be code.
        some_code: usize = 20 percent,
        /// Percentage of lines of code that makes a text with signs of a test run the source of a test.
        most_code: usize = 50 percent,
        /// Percentage of lines of prose that makes prose.
        prose: usize = 40 percent,
        /// Percentage of lines of prose in a text with signs of a test run that may be prose.
        some_prose: usize = 35 percent,
        /// Words of a line of prose.
        line_words: usize = 4 words,
        /// Percentage of the characters of a line of prose that are letters.
        line_letters: usize = 80 percent,
        /// Words of a line of prose with the end of a sentence.
        sentence_words: usize = 2 words,
        /// Percentage of the characters of such a line that are letters.
        sentence_letters: usize = 70 percent,
        /// A text with more than one line of code in this many is no log by its lines.
        lines_per_code_of_log: usize = 5 lines,
        /// Smaller files that a program wrote are read as files.
        file_min_bytes: usize = 2048 bytes,
        /// Values that make JSON lines.
        file_min_values: usize = 8 values,
        /// Percentage of lines that are values in JSON lines.
        file_values: usize = 95 percent,
        /// Percentage of lines with as many separators as the first in a file of records.
        file_separated: usize = 90 percent,
        /// Percentage of a JSON file in arrays of many values that makes it data.
        file_bulk: usize = 50 percent,
        /// Values of such an array.
        file_min_bulk: usize = 8 values,
        /// Percentage of log lines in a file that is a log by its name.
        file_log: usize = 30 percent,
        /// Percentage of log lines in a file that is a log by its lines alone.
        file_most_log: usize = 70 percent,
        /// Lines before the output in the frame of a command runner.
        file_frame_lines: usize = 10 lines,
        /// JSON values below this size stay part of the text around them.
        part_min_bytes: usize = 400 bytes,
        /// Values of one line each, in more runs than this, are lines of a log.
        part_max_runs: usize = 8 runs,
        /// Text before a value on its line that is a label.
        part_max_label: usize = 80 bytes,
        /// A value behind such a label has at least this size.
        part_min_labeled: usize = 2048 bytes,
        /// A line of this length may begin in the middle of JSON.
        part_min_long_line: usize = 2048 bytes,
        /// Percentage of a text of JSON that may be cut.
        part_cut: usize = 85 percent,
        /// A long line of JSON has a key in this many bytes.
        part_bytes_per_key: usize = 160 bytes,
        /// A text of JSON has a key in this many bytes.
        part_key_distance: usize = 2000 bytes,
    }
}
