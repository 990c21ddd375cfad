//! The numbers of `compress`'s `listing`: which entries stay.

tuning! {
    /// Which entries of listings stay.
    listing: ListingTuning {
        /// Smaller listings stay whole.
        min_bytes: usize = 1024 bytes,
        /// Listings with fewer lines stay whole.
        min_lines: usize = 40 lines,
        /// From this length on ordinary directories lose entries: agents use names from all over a listing.
        long_lines: usize = 400 lines,
        /// From this length on nobody reads a listing line by line.
        huge_lines: usize = 2000 lines,
        /// Directories of a long listing stay whole up to this many entries.
        whole_entries: usize = 40 entries,
        /// Entries that stay of a directory with more.
        shown: usize = 20 entries,
        /// Entries that stay of a directory in a huge listing.
        shown_of_huge: usize = 6 entries,
        /// Entries that stay of a generated directory.
        shown_of_generated: usize = 1 entries,
        /// Lines of a listing that stay; beyond that, directories are named to a lesser depth.
        max_shown: usize = 1500 lines,
        /// The depth to which directories are named then, or one less until it suffices.
        shown_depth: usize = 6 levels,
        /// Entries whose extension at most this many have in their directory are rare.
        rare_entries: u32 = 2 entries,
        /// Directories with more entries can have rare ones.
        entries_for_rare: usize = 8 entries,
        /// A gap has at least this much text, so that its marker saves tokens.
        min_gap_bytes: usize = 250 bytes,
        /// A gap has at least this many lines.
        min_gap_lines: usize = 8 lines,
        /// Kinds of entries that a marker counts.
        summary_kinds: usize = 3 kinds,
        /// Lists of fewer paths keep the whole path on each line, to be quoted.
        min_paths: usize = 60 paths,
        /// Paths in a row of one directory that lose it.
        min_run: usize = 4 paths,
        /// Output of `ls -R` with fewer directories stays as it is.
        min_directories: usize = 8 directories,
        /// A directory with more entries is written with its whole path, by which it is referred to.
        small_entries: usize = 5 entries,
    }
}
