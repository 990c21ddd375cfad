//! What lines of the output of programs are: the parsers that detection and compression share.

pub(crate) mod diff;
pub(crate) mod html;
pub(crate) mod listing;
pub(crate) mod search;
pub(crate) mod table;
