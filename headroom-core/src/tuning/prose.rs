//! The numbers of `compress`'s `prose`: which sentences stay.

tuning! {
    /// Which sentences of documents, articles and conversations stay.
    prose: ProseTuning {
        /// Smaller texts stay whole.
        min_bytes: usize = 1500 bytes,
        /// Texts with fewer sentences stay whole.
        min_units: usize = 8 sentences,
        /// Without a query that tells sentences apart, texts up to this size stay whole.
        long_bytes: usize = 32768 bytes,
        /// Percentage of the bytes of a document that stay for their score, with what they need.
        kept_share: usize = 36 percent,
        /// Percentage of the bytes of a conversation that stay for their score: its turns depend on each other.
        kept_share_of_turns: usize = 45 percent,
        /// Shorter gaps stay, since a marker costs about as much. Whether a longer gap pays, the tokens decide.
        min_gap_bytes: usize = 80 bytes,
        /// Sentences are ranked if one term in this many tells them apart.
        terms_per_discriminative: usize = 3 terms,
        /// Terms that must tell sentences apart if the query is no question.
        min_terms: usize = 2 terms,
        /// A question with more terms is a task, which a document covers only in part.
        max_terms: usize = 30 terms,
        /// Sentences of a paragraph that stay without a query.
        lead_sentences: usize = 2 sentences,
        /// Words that a learned model must leave out, so that the marker saves tokens.
        min_pruned_words: usize = 20 words,
        /// Saturation of repeated words in BM25; the value of Robertson and Zaragoza.
        bm25_k1: f64 = 1.2 factor,
        /// How much BM25 counts the length of a sentence; less than for documents, since sentences differ less.
        bm25_b: f64 = 0.3 share,
        /// Part of a match that counts for the next sentence of its paragraph.
        near: f64 = 0.8 share,
        /// Part of a match that counts for the next paragraph.
        next_paragraph: f64 = 0.4 share,
        /// Part of a match that counts for the next turn of a conversation.
        next_turn: f64 = 0.93 share,
        /// A heading with at least this part of the best score matches for its whole section.
        named_heading: f64 = 0.75 share,
        /// Weight of matches nearby in a score.
        nearby_weight: f64 = 0.8 factor,
        /// Weight of rare words in a score.
        rare_weight: f64 = 3.0 factor,
        /// Bytes added to each sentence's length when its score is divided by it.
        unit_cost: f64 = 40.0 bytes,
        /// A term in a larger percentage of the sentences does not tell them apart.
        max_units_with_term: usize = 50 percent,
    }
}

tuning! {
    /// What is prose, and what its sentences are.
    genre: GenreTuning {
        /// Lines at the start that may introduce a help text or a manual page.
        first_lines: usize = 12 lines,
        /// Words of a sentence of a natural language.
        min_words: usize = 4 words,
        /// Percentage of a sentence's characters that are letters or spaces.
        min_letters: usize = 75 percent,
        /// Percentage of the text in such sentences.
        min_natural: usize = 50 percent,
        /// Columns from which on a line is indented like the body of a manual page.
        deep_indent: usize = 3 columns,
        /// Lines of one kind that no prose has so many of.
        min_signs: usize = 3 lines,
        /// Rows of columns that no prose has so many of.
        min_rows: usize = 4 lines,
        /// Indented lines that no prose has so many of.
        min_indented: usize = 8 lines,
        /// Percentage of lines with options of a program that no prose has.
        options: usize = 4 percent,
        /// Percentage of lines of code that no prose has.
        code: usize = 5 percent,
        /// Percentage of lines with macros of a typesetter that no prose has.
        macros: usize = 4 percent,
        /// Percentage of lines with hashes that no prose has.
        hashes: usize = 10 percent,
        /// Percentage of lines that are comments that no prose has.
        comments: usize = 10 percent,
        /// Percentage of lines that are settings that no prose has.
        settings: usize = 20 percent,
        /// Percentage of lines with columns that no prose has.
        columns: usize = 20 percent,
        /// Percentage of lines of markup that no prose has.
        markup: usize = 20 percent,
        /// Percentage of indented lines that no prose has.
        indented: usize = 70 percent,
        /// A longer turn is split into sentences.
        long_turn_bytes: usize = 300 bytes,
        /// Bytes of a speaker's name.
        max_name_bytes: usize = 40 bytes,
        /// A paragraph is broken into lines of at least this length.
        min_wrapped_bytes: usize = 40 bytes,
        /// A longer text without an end of a sentence is divided.
        max_sentence_bytes: usize = 2000 bytes,
        /// Lines that make a conversation.
        min_turns: usize = 8 lines,
    }
}
