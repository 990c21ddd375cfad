//! Reads JSON in place and edits it without changing any other byte.
//!
//! Nothing is written back from a tree, so number formats, the order of keys, duplicate keys, escapes and lone surrogates
//! survive. The readers record offsets of the text and copy nothing:
//!
//! | reader | checks | finds | for |
//! |---|---|---|---|
//! | [`Tape`] | all of the text, by RFC 8259 | objects, arrays, strings and members | requests: large bodies of which little is read |
//! | [`Document`](document::Document) | all of the text, by RFC 8259 | all values, in sequences too, and their length without white space | data that is written in another form |
//! | [`readable`](document::readable) | as far as it goes | the whole values in a text that is cut | output that was cut off |
//! | [`Value`] | brackets and quotes | one member or item at a time | answers of which a few members are read |
//!
//! [`splice()`] writes edits into a text, and [`edited_strings`] finds which strings such edits changed.
//!
//! # Example
//!
//! ```
//! use headroom_json::{Replacement, Tape, splice};
//!
//! let text = r#"{"price": 1.50, "note": "caf\u00e9"}"#;
//! let tape = Tape::parse(text)?;
//! let [note] = tape.root().fields(["note"])?;
//! let note = note.and_then(|note| note.text()).expect("it has a note");
//! assert_eq!(note.decode().as_deref(), Some("café"));
//!
//! let edit = (note.start..note.start + note.raw.len(), Replacement::Text("\"tea\""));
//! assert_eq!(splice(text, &[edit]).as_deref(), Some(r#"{"price": 1.50, "note": "\"tea\""}"#));
//! # Ok::<(), headroom_json::Error>(())
//! ```
//!
//! # Untrusted input
//!
//! No text makes a reader panic or recurse. Work and memory are linear in the text, and nesting is bounded.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bounds;
pub mod document;
mod edited;
mod error;
mod lexeme;
mod splice;
mod string_scan;
mod tape;
mod text;
mod tokenizer;
mod value;
mod value_ends;

pub use bounds::is_plausible;
pub use edited::{EditedString, edited_strings};
pub use error::Error;
pub use lexeme::{is_number, minify};
pub use splice::{Edit, Replacement, splice};
pub use tape::{Limits, Tape, TapeValue};
pub use text::{RawOffsets, Text, escape_into, quote};
pub use value::{Items, Member, Members, Value, compact_into};
pub use value_ends::ValueEnds;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
