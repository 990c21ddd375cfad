//! The response side against scripted providers.

mod anthropic;
mod any;
mod apart;
mod bedrock;
mod chat;
mod faults;
mod forget;
pub(in crate::retrieve) mod frames;
mod gemini;
mod lost;
mod model;
mod responses;
mod strict;
mod support;
mod threads;
