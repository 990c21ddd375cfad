//! Lines, printed line numbers, terminal control sequences, markers and paths.

pub(crate) mod lines;
pub(crate) mod marker;
pub(crate) mod notice;
pub(crate) mod numbered;
pub(crate) mod path;
pub(crate) mod replace;
pub(crate) mod reserve;
pub(crate) mod starts;
pub(crate) mod tally;
pub(crate) mod terminal;
pub(crate) mod tree;
