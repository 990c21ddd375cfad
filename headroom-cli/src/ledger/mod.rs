//! Records what turns cost and saved, in the user's folder. Counts, never content.

mod conversations;
mod entry;
mod epochs;
mod file;
mod heads;
mod history;
mod prices;
mod sums;

pub(crate) use self::{
    conversations::{CacheWrites, Conversations, Previous},
    entry::{Call, DEFINITION, Entry, saved_in},
    epochs::{EpochAccount, EpochBook, EpochMark, EpochState},
    file::{Ledger, day, read},
    heads::{HeadAccount, HeadBook, HeadMark, HeadMemory},
    history::History,
    prices::{Price, as_of},
    sums::{EpochTotals, LedgerTotals},
};
