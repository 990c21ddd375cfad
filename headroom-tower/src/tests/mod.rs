mod bounds;
mod cancel;
mod contract;
mod encoding;
mod headers;
mod laws;
mod offload;
mod replay;
mod routing;
#[cfg(feature = "plaintext")]
mod spooling;
mod stacks;
mod storing;
mod telling;
