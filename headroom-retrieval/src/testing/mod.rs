//! A provider, a store and a client for tests and fuzz targets, apart from the code that is tested.

mod frames;
mod script;

pub use self::{
    frames::{exception, frame, framed},
    script::{AnswerEnd, Script, ScriptedAnswer, Transcript},
};
