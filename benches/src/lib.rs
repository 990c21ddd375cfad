//! Benchmarks of the engine. `cargo bench -p headroom-benches` runs them, with medians and bytes per second.
//!
//! - `scan`: requests whose history an engine has seen before.
//! - `tokens`: the token counter by kind and size.
//! - `fresh`: one fresh result of 1, 10 or 100 KB or 1 MB, as agents send them, with and without a means of retrieval.
//! - `compress`: one fresh tool result of each kind.
//! - `kind`: one result of each kind at three sizes, with parts of it set aside.
//! - `turn`: turn N of a conversation, of which only the newest result is new.
//! - `conversation`: whole conversations turn by turn, with one engine and with a new one for every turn.
//!
//! `cargo run --release -p headroom-benches --bin instructions` counts instructions instead, which tells a regression
//! from a busy machine.
//!
//! Before the times, the sizes before and after are printed. Nothing is asserted about times. Recorded conversations
//! are used where `HEADROOM_SHARED` names their folder, own ones always.
#![forbid(unsafe_code)]
