//! The parts of a gateway that know no web framework: what the tenants may use, where the providers are, and how both
//! change while requests run.
//!
//! `src/bin/gateway` puts them into a stack for axum, `src/bin/actix_gateway` into middlewares for actix-web.

mod account;
mod config;
mod live;
mod provider;
mod usage;

pub use self::{
    account::{Account, Accounts, Place, Refusal},
    config::{Limits, Settings, Tenant, Upstream, Wrong},
    live::{Live, watch},
    provider::{KEPT_BACK, Provider, credential, is_safe_to_repeat},
    usage::Meter,
};
