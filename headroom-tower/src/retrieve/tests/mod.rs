//! The response side against scripted providers.

mod anthropic;
mod chat;
mod gemini;
mod responses;
mod strict;
mod support;
