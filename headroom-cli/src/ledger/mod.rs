//! Records what turns cost and saved, in the user's folder. Counts, never content.

mod entry;
mod file;
mod history;
mod prices;
mod sums;

pub(crate) use self::{
    entry::{Call, DEFINITION, Entry, first_new, saved_in},
    file::{Ledger, day, read},
    history::History,
    prices::{AS_OF, Price},
    sums::LedgerTotals,
};
