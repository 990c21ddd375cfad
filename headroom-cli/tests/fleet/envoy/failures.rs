//! What happens when the service is not there, ends, or refuses.

use super::{
    conversation::{Api, Transfer, request},
    *,
};
use crate::support::{Connection, exchange, stderr};

#[test]
#[ignore = "installs Envoy"]
fn without_the_service_requests_pass_or_fail_as_envoy_is_told() {
    let Some(program) = program() else { return };
    let provider = provider();
    let body = Api::Messages.conversation(2);
    for mode in MODES {
        for may_pass in [true, false] {
            let context = format!("{mode:?}, failure_mode_allow {may_pass}");
            let mut service = service(&["--store", "memory"]);
            let config = Config::new(mode, service.address, provider.address);
            let envoy = Envoy::start(program, &config.filter("failure_mode_allow", json!(may_pass)));
            let send = || exchange(envoy.address, request("/v1/messages", &body, Transfer::Length)).status();
            assert_eq!(send(), 200, "{context}");
            assert!(provider.request().body.len() < body.len(), "{context}");
            service.signal("KILL");
            service.wait();
            // What is streamed is already on its way to the service, and Envoy has no copy.
            match may_pass && mode == Mode::Buffered {
                true => {
                    assert_eq!(send(), 200, "{context}: {}", envoy.log());
                    assert!(provider.request().body == body, "{context}: as it came");
                }
                false => {
                    assert_eq!(send(), 500, "{context}");
                    assert!(provider.is_untouched(), "{context}");
                }
            }
        }
    }
}

#[test]
#[ignore = "installs Envoy"]
fn a_signal_lets_what_is_open_finish() {
    let Some(program) = program() else { return };
    let provider = provider();
    let body = Api::Messages.conversation(2);
    for mode in MODES {
        let mut service = service(&["--store", "memory", "--log", "debug"]);
        let envoy = Envoy::start(program, &Config::new(mode, service.address, provider.address));
        let whole = request("/v1/messages", &body, Transfer::Length);
        let (first, rest) = whole.split_at(whole.len() - 10);
        // A request before, so that the connection to the service is there.
        assert_eq!(exchange(envoy.address, &whole).status(), 200);
        assert!(provider.request().body.len() < body.len());
        let mut connection = Connection::open(envoy.address).patiently(PATIENCE);
        connection.write(first).unwrap();
        wait_for_calls(&service, 2);
        service.signal("TERM");
        service.wait_for("connections have");
        connection.write(rest).unwrap();
        assert_eq!(connection.read().unwrap().status(), 200, "{mode:?}: {}", envoy.log());
        assert!(provider.request().body.len() < body.len(), "{mode:?}");
        assert!(service.wait().success());
    }
}

#[test]
#[ignore = "installs Envoy"]
fn callers_from_elsewhere_need_the_token_and_probes_do_not() {
    let Some(program) = program() else { return };
    let provider = provider();
    let body = Api::Messages.conversation(2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
    let start = |args: &[&str]| {
        let listen = ["extproc", "--listen", "0.0.0.0:0", "--store", "memory", "--token-file"];
        let mut service = Proxy::start(headroom(&listen).arg(&file).args(args));
        service.address.set_ip([127, 0, 0, 1].into());
        service
    };
    let token = |value: &str| json!([{"key": "x-headroom-token", "value": value}]);
    let cases = [
        (start(&[]), None, 500),
        (start(&[]), Some("fedcba9876543210fedcba9876543210"), 500),
        (start(&[]), Some("0123456789abcdef0123456789abcdef"), 200),
        (start(&["--no-token"]), None, 200),
    ];
    for (service, shown, status) in cases {
        let mut config = Config::new(Mode::Buffered, service.address, provider.address);
        if let Some(shown) = shown {
            config.at(FILTER)["grpc_service"]["initial_metadata"] = token(shown);
        }
        // Envoy asks the health service, which is open to all.
        config.at("/static_resources/clusters/0")["health_checks"] = json!([{"timeout": "1s", "interval": "0.1s",
            "unhealthy_threshold": 1, "healthy_threshold": 1, "grpc_health_check": {}}]);
        config.at("/static_resources/clusters/0")["common_lb_config"] =
            json!({"healthy_panic_threshold": {"value": 0}});
        let envoy = Envoy::start(program, &config);
        let answer = exchange(envoy.address, request("/v1/messages", &body, Transfer::Length));
        assert_eq!(answer.status(), status, "{shown:?}: {}", envoy.log());
        match status {
            200 => assert!(provider.request().body.len() < body.len()),
            _ => assert!(provider.is_untouched() && service.wait_for("a call was refused").contains("token")),
        }
        let get = |path: &str, headers: &str| {
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
            exchange(service.address, request)
        };
        assert_eq!((get("/livez", "").status(), get("/readyz", "").status()), (200, 200));
        assert_eq!((get("/metrics", "").status(), get("/v1/messages", "").status()), (401, 404));
        let metrics = get("/metrics", "x-headroom-token: 0123456789abcdef0123456789abcdef\r\n");
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        assert_eq!(
            (metrics.status(), text.contains("headroom_requests_total")),
            (200, status == 200),
            "{text}"
        );
    }
}

#[test]
fn settings_that_need_answers_are_refused_or_named() {
    let refused = |args: &[&str]| {
        let output = headroom(&["extproc"]).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        stderr(&output)
    };
    let reason = refused(&["--retrieval", "server-tool"]);
    assert!(
        reason.contains("--retrieval off or client-tool") && reason.contains("headroom proxy"),
        "{reason}"
    );
    let reason = refused(&["--listen", "0.0.0.0:0"]);
    assert!(reason.contains("no token"), "{reason}");

    let mut command = headroom(&["extproc", "--listen", "127.0.0.1:0", "--store", "memory"]);
    let service = Proxy::start(command.env("HEADROOM_HOLDOUT", "5").env("HEADROOM_DROP_TOOLS", "WebSearch"));
    service.wait_for("holdout has no effect here");
    let said = service.wait_for("drop_tools has no effect here");
    assert!(said.contains("retrieval off"), "{said}");
}

/// Waits until Envoy has made this many calls.
fn wait_for_calls(service: &Proxy, calls: usize) {
    let start = Instant::now();
    while service.stderr().matches("a request begins").count() < calls {
        assert!(start.elapsed() < PATIENCE, "{}", service.stderr());
        thread::sleep(Duration::from_millis(5));
    }
}
