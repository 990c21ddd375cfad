//! The response side against scripted providers.

mod anthropic;
mod any;
mod apart;
mod bedrock;
mod breakpoints;
mod chat;
#[cfg(all(
    feature = "decompression-gzip",
    feature = "decompression-deflate",
    feature = "decompression-br",
    feature = "decompression-zstd"
))]
mod dropping;
mod encoded;
mod epochs;
mod faults;
mod forget;
mod frames;
mod gemini;
mod held;
mod limits;
mod lines;
mod lost;
mod model;
mod responses;
mod shapes;
mod strict;
mod support;
mod threads;
mod verdicts;
