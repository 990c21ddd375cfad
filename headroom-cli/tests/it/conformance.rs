//! HTTP/2 as RFC 9113 and RFC 7541 have it: what a server must take for an error, and what not.

mod allowed;
mod client;
mod frames;
mod heads;
