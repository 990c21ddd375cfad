//! Benchmarks of the engine. `cargo bench -p headroom-benches` runs them, with medians and bytes per second.
//!
//! - `scan`: requests whose history an engine has seen before.
//! - `compress`: one fresh tool result of each kind.
//! - `kind`: one result of each kind at three sizes, with parts of it set aside.
//! - `conversation`: whole conversations turn by turn, with one engine and with a new one for every turn.
//!
//! Before the times, the sizes before and after are printed. Nothing is asserted about times. Recorded conversations
//! are used where `HEADROOM_SHARED` names their folder, own ones always.
#![forbid(unsafe_code)]
