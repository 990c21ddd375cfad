//! What `headroom extproc` adds to a request through Envoy, beside the same Envoy without it.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    SIZES,
    bodies::{self, Kind, Tools},
    client::Connection,
    ms, quantile,
    servers::Server,
};

/// Names Envoy's program.
const PROGRAM: &str = "HEADROOM_ENVOY_PROGRAM";

/// Prints the table, if the environment names an Envoy.
pub(crate) fn latencies(upstream: &Server) {
    let Ok(program) = env::var(PROGRAM) else {
        println!("\n{PROGRAM} names no Envoy, so it is left out");
        return;
    };
    let service = Server::extproc();
    let envoys = [None, Some("BUFFERED"), Some("FULL_DUPLEX_STREAMED")]
        .map(|mode| Envoy::start(&program, upstream.address, service.address, mode));
    let mut ways = envoys.each_ref().map(|envoy| Connection::open(envoy.address));
    println!(
        "\n{:10} {:>9} | {:>9} {:>9} | {:>9} {:>9} {:>9} {:>9} | {:>9} {:>9} {:>9} {:>9}",
        "added, ms",
        "bytes",
        "Envoy p50",
        "p99",
        "buffered",
        "p99",
        "known p50",
        "p99",
        "duplex",
        "p99",
        "known p50",
        "p99"
    );
    for kind in Kind::ALL {
        for (size, rounds) in SIZES {
            // The service remembers what it saw, so each mode gets results of its own.
            let Some(bodies) = bodies::fresh(kind, size, 2 * rounds, Tools::Present) else { continue };
            let mut times = [const { Vec::new() }; 5];
            for pair in bodies.chunks_exact(2) {
                for (way, body) in pair.iter().enumerate() {
                    times[0].push(ways[0].send(body));
                    times[2 * way + 1].push(ways[way + 1].send(body));
                    times[2 * way + 2].push(ways[way + 1].send(body));
                }
            }
            let [alone, added @ ..] = &mut times;
            let (p50, p99) = (quantile(alone, 0.5), quantile(alone, 0.99));
            let line: Vec<_> = added
                .iter_mut()
                .map(|times| {
                    let added = |times: &mut [Duration], share| ms(quantile(times, share)) - ms(p50);
                    format!("{:>9.2} {:>9.2}", added(times, 0.5), added(times, 0.99))
                })
                .collect();
            println!(
                "{:10} {:>9} | {:>9.2} {:>9.2} | {} {} | {} {}",
                format!("{kind:?}"),
                bodies.iter().map(Vec::len).sum::<usize>() / bodies.len(),
                ms(p50),
                ms(p99),
                line[0],
                line[1],
                line[2],
                line[3],
            );
        }
    }
}

/// A running Envoy, with the filter in this mode or without it.
struct Envoy {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Envoy {
    fn start(program: &str, upstream: SocketAddr, service: SocketAddr, mode: Option<&str>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("envoy.yaml");
        // JSON is YAML.
        fs::write(&file, config(address, upstream, service, mode).to_string()).unwrap();
        let child = Command::new(program)
            .args([
                "--use-dynamic-base-id",
                "--disable-hot-restart",
                "--concurrency",
                "1",
                "-l",
                "error",
                "-c",
            ])
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let envoy = Self { child, address, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "Envoy does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        envoy
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(listen: SocketAddr, upstream: SocketAddr, service: SocketAddr, mode: Option<&str>) -> Value {
    const HTTP: &str = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let address =
        |at: SocketAddr| json!({"socket_address": {"address": "127.0.0.1", "port_value": at.port()}});
    let cluster = |name: &str, at: SocketAddr| {
        json!({"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(at)}}]}]}})
    };
    let mut headroom = cluster("headroom", service);
    headroom["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions":
            {"@type": HTTP, "explicit_http_config": {"http2_protocol_options": {}}}});
    let router = json!({"name": "router", "typed_config":
        {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}});
    let filter = mode.map(|mode| {
        let trailers = if mode == "BUFFERED" { "SKIP" } else { "SEND" };
        json!({"name": "headroom", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {"cluster_name": "headroom"}}, "message_timeout": "10s",
            "processing_mode": {"request_body_mode": mode, "request_trailer_mode": trailers,
                "response_header_mode": "SKIP"}}})
    });
    let filters: Vec<_> = filter.into_iter().chain([router]).collect();
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "llm", "http_filters": filters, "route_config": {"virtual_hosts": [{"name": "llm",
            "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]}});
    json!({"static_resources": {
        "listeners": [{"address": address(listen), "per_connection_buffer_limit_bytes": 32 << 20,
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}],
        "clusters": [cluster("upstream", upstream), headroom]}})
}
