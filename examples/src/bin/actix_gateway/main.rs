//! A gateway for a company, with actix-web: the settings, tenants, budgets and providers of the one for axum.
//!
//! | file | what it has |
//! |---|---|
//! | `gate.rs` | whose request it is, and whether the tenant may send it |
//! | `forward.rs` | sends requests to their provider, some of them again, and charges answers to their tenant |
//! | `headroom_examples::gateway` | settings, accounts and providers |
//!
//! Run with `cargo run -p headroom-examples --bin actix-gateway -- gateway.toml`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod forward;
mod gate;

use std::{path::PathBuf, sync::Arc};

use actix_web::{
    App, HttpServer,
    middleware::{Logger, from_fn},
    web::{self, Data},
};
use arc_swap::ArcSwap;
use headroom_actix::Headroom;
use headroom_examples::{
    gateway::{Accounts, Settings, watch},
    set_up_tls,
};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    set_up_tls();
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let path = path.ok_or_else(|| std::io::Error::other("usage: actix-gateway FILE"))?;
    let settings = Settings::read(&path).map_err(std::io::Error::other)?;
    let (address, limits) = (settings.listen, settings.limits);
    let live = Arc::new(ArcSwap::from_pointee(settings));
    let watching = watch(path, live.clone(), |changed| match changed {
        Ok(()) => eprintln!("the settings were read again"),
        Err(error) => eprintln!("the settings stay as they were: {error}"),
    })?;
    actix_web::rt::spawn(watching);

    let (accounts, headroom) = (Accounts::default(), Headroom::new()); // made once, for all workers
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::PayloadConfig::new(limits.max_body_mb << 20))
            .app_data(Data::new(awc::Client::builder().timeout(limits.answer()).finish()))
            .app_data(Data::new(live.clone()))
            .app_data(Data::new(accounts.clone()))
            // The last one runs first: the log sees refusals too, and whoever is refused costs Headroom no work.
            .wrap(headroom.clone())
            .wrap(from_fn(gate::admit))
            .wrap(Logger::new("%a %m %U %s %D ms"))
            .default_service(web::post().to(forward::forward))
    });
    let server = server.workers(2).bind(address)?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}
