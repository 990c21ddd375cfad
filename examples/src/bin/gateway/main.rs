//! A gateway for a company, with axum: several providers behind one address, tenants with keys, budgets and limits of their
//! own, retries, metrics, and settings that change while requests run.
//!
//! | file | what it has |
//! |---|---|
//! | `stack.rs` | every layer, in its order, with the reason |
//! | `gate.rs` | whose request it is, and whether the tenant may send it |
//! | `retry.rs` | which requests are sent again |
//! | `upstream.rs` | sends requests to their provider, and charges answers to their tenant |
//! | `answer.rs` | errors in the shape of the provider |
//! | `admin.rs` | `/livez` and `/metrics`, at an address of their own |
//! | `headroom_examples::gateway` | settings, accounts and providers, which the gateway for actix-web shares |
//!
//! Run with `cargo run -p headroom-examples --bin gateway -- gateway.toml`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod admin;
mod answer;
mod gate;
mod retry;
mod stack;
mod upstream;

use std::{error::Error, future::IntoFuture, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use headroom_examples::{
    gateway::{Settings, Wrong, watch},
    set_up_tls,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    set_up_tls();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: gateway FILE")?);
    let settings = Settings::read(&path)?;
    let (address, admin) = (settings.listen, settings.admin);
    let live = Arc::new(ArcSwap::from_pointee(settings));

    let metrics = admin::collect()?;
    let (app, in_flight) = stack::stack(&live)?;
    // Before anybody learns that the gateway runs: a signal would end it.
    tokio::spawn(watch(path, live, report)?);
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    if let Some(admin) = admin {
        let listener = TcpListener::bind(admin).await?;
        println!("metrics at http://{}/metrics", listener.local_addr()?);
        tokio::spawn(axum::serve(listener, admin::routes(metrics, in_flight)).into_future());
    }
    axum::serve(listener, app).with_graceful_shutdown(stop()).await?;
    Ok(())
}

fn report(changed: Result<(), Wrong>) {
    match changed {
        Ok(()) => tracing::info!("the settings were read again"),
        Err(error) => tracing::warn!("the settings stay as they were: {error}"),
    }
}

/// Ends with the signal that asks the gateway to stop. Answers that have begun are sent to their end.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
