//! Reads and splices JSON: one pass over the bytes gives a flat tape, and edits go into the original bytes.

pub(crate) mod splice;
pub(crate) mod string_scan;
pub(crate) mod tape;
pub(crate) mod text;
