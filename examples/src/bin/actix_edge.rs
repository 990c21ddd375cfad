//! A gateway with actix-web: `.wrap(Headroom::new())` in front of a provider.
//!
//! Run with `cargo run -p headroom-examples --bin actix-edge`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::time::Duration;

use actix_web::{
    App, Error, HttpRequest, HttpResponse, HttpServer,
    error::ErrorBadGateway,
    http::header,
    web::{self, Data},
};
use headroom_actix::Headroom;
use headroom_examples::{listen, set_up_tls, upstream};

/// The most that providers take.
const MAX_BODY: usize = 32 << 20;
/// Models may think for long before they say anything.
const PATIENCE: Duration = Duration::from_secs(600);

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    set_up_tls();
    let headroom = Headroom::new(); // made once: what it remembers is shared by all workers
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .app_data(Data::new(awc::Client::builder().timeout(PATIENCE).finish()))
            .app_data(Data::new(upstream()))
            .wrap(headroom.clone())
            .default_service(web::to(forward))
    });
    let server = server.workers(2).bind(listen())?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}

/// Sends a request on and streams the answer back.
async fn forward(
    request: HttpRequest,
    body: web::Bytes,
    client: Data<awc::Client>,
    upstream: Data<String>,
) -> Result<HttpResponse, Error> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut forwarded =
        client.request_from(format!("{}{path}", upstream.as_str()), request.head()).no_decompress();
    for hop in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
        forwarded.headers_mut().remove(hop);
    }
    let response =
        forwarded.send_body(body).await.map_err(|_| ErrorBadGateway("the upstream does not answer"))?;
    let mut answer = HttpResponse::build(response.status());
    for (name, value) in response.headers() {
        if name != header::CONNECTION && name != header::TRANSFER_ENCODING {
            answer.append_header((name, value));
        }
    }
    Ok(answer.streaming(response))
}
