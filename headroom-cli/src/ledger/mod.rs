//! What turns cost and what was saved in them, kept in the user's folder. Counts, never content.

mod entry;
mod file;
mod prices;
mod sums;

pub(crate) use self::{
    entry::{Call, Entry},
    file::{Ledger, day, read},
    prices::{AS_OF, Price},
    sums::Sums,
};
