//! The response side against scripted providers.

mod anthropic;
mod any;
mod chat;
mod gemini;
mod responses;
mod strict;
mod support;
