//! The numbers of `compress`'s `html`: what of a page is its content.

tuning! {
    /// What of a page is its content.
    html: HtmlTuning {
        /// Smaller pages stay as they are.
        min_bytes: usize = 2048 bytes,
        /// A page that shows less text renders itself by scripts, which hold its content.
        min_text: usize = 200 bytes,
        /// Paragraphs of at least this size, few of it links, count as sentences.
        sentence_bytes: usize = 80 bytes,
        /// Rows and preformatted text of at least this size count as sentences.
        row_bytes: usize = 20 bytes,
        /// A page with fewer bytes of sentences is no article, and all that it shows stays.
        min_article: usize = 400 bytes,
        /// A page with less than one byte of sentences in this many is no article.
        bytes_per_sentence: usize = 10 bytes,
        /// The main element has at least this percentage of the sentences.
        main_share: usize = 80 percent,
        /// An element with at least this percentage of the sentences is no frame, whatever its name.
        no_frame_share: usize = 40 percent,
        /// Links that make a list of links.
        min_links: usize = 3 links,
        /// Percentage of the text of a list of links that is links.
        linked_share: usize = 60 percent,
        /// A paragraph with one byte in this many in links is no sentence.
        bytes_per_linked: usize = 3 bytes,
        /// A longer cell that spans rows or columns is not repeated in them.
        max_repeated: usize = 60 bytes,
        /// A row with a longer cell is layout, not a row of a table.
        long_cell_bytes: usize = 400 bytes,
        /// Raised or lowered text that is longer gets parentheses.
        max_plain_script: usize = 12 bytes,
    }
}
