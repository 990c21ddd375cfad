//! The Python package of Headroom, as an extension module.
//!
//! Everything that knows Python is behind the feature `python`, so that the workspace builds on machines without Python.
#![forbid(unsafe_code)]

#[cfg(feature = "python")]
mod python;
