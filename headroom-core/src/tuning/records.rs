//! The numbers of `records`: what belongs together in a text.

tuning! {
    /// What belongs together in a text: records, sections, and the lines that govern others.
    records: RecordTuning {
        /// Records that make a text of records.
        min_records: usize = 4 records,
        /// Percentage of the lines of such a text that belong to a record.
        min_share: usize = 60 percent,
        /// Headers all stay if they are at most one line in this many.
        lines_per_header: usize = 12 lines,
        /// Lines of a style that govern fewer lines on average are ordinary lines.
        min_section_lines: usize = 2 lines,
        /// Lines of a style without marks that govern this many on average are headers.
        min_sure_lines: usize = 4 lines,
        /// One line in this many may be a header without marks.
        lines_per_bare: usize = 4 lines,
        /// Percentage of lines with times in a text with headers without marks.
        section_events: usize = 60 percent,
        /// Longer lines are no headers without marks.
        max_bare_bytes: usize = 120 bytes,
        /// Longer lines are no names.
        max_name_bytes: usize = 60 bytes,
        /// Lines of more words are no names.
        max_name_words: usize = 3 words,
        /// Names that stand each above a run of lines.
        min_names: usize = 3 names,
        /// Lines of such a run.
        min_run: usize = 3 lines,
        /// Lines above the first of such names.
        max_preamble: usize = 6 lines,
        /// One line in this many may lack a time in a text whose lines have one.
        lines_per_stray: usize = 10 lines from 1,
        /// Lines below the head of a commit in which one of its fields is.
        max_field_distance: usize = 4 lines,
        /// Lines of a log of commits with one line each.
        min_commits: usize = 4 lines,
        /// Percentage of the lines of such a log that are commits.
        commits: usize = 80 percent,
        /// Longer lines are no headers.
        max_header_bytes: usize = 200 bytes,
        /// Words of a header behind marks, as in `## name`.
        max_title_words: usize = 16 words,
        /// Bytes before the colon of `name:` in a header.
        max_key_bytes: usize = 80 bytes,
        /// Words before the colon of `name:` in a header.
        max_header_words: usize = 6 words,
        /// Longer words at the start of all lines are no margin.
        max_margin_bytes: usize = 24 bytes,
        /// One line in this many may lack the margin.
        lines_per_stray_margin: usize = 10 lines from 1,
        /// Lines with nothing behind the margin.
        min_empty_margins: usize = 2 lines,
        /// Labels that a list of elided sections names.
        max_labels: usize = 80 names,
        /// Characters of one of them.
        max_label_chars: usize = 72 characters,
        /// Numbers in a row that are named as a range.
        min_numbers: usize = 4 names,
        /// Paragraphs with the same first key that are records.
        min_vertical: usize = 3 records from 1,
        /// Average length of the lines of such paragraphs: longer ones are sentences.
        max_vertical_bytes: usize = 120 bytes,
        /// Percentage of the lines of such a paragraph that are fields.
        vertical_fields: usize = 60 percent,
        /// Items that make a list in YAML.
        min_items: usize = 3 records from 1,
        /// Lines of such an item on average.
        min_item_lines: usize = 3 lines,
        /// Percentage of the lines of YAML that are fields or items.
        yaml: usize = 80 percent,
    }
}
