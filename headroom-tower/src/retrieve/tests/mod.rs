//! The response side against scripted providers.

mod anthropic;
mod strict;
mod support;
