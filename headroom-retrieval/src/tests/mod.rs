//! Whole exchanges, for every API, without I/O.

mod cuts;
mod faults;
mod limits;
mod order;
mod restored;
mod samples;
