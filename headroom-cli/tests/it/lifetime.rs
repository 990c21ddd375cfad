use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
    time::Instant,
};

use crate::support::{Connection, PATIENCE, Proxy, Upstream, exchange, headroom, stderr};

const REQUEST: &str = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";

/// An upstream that ends its stream when told to.
fn upstream() -> (Upstream, mpsc::Sender<()>) {
    let (finish, finished) = mpsc::channel::<()>();
    let finished = Mutex::new(finished);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        connection.write_chunk("first")?;
        finished.lock().unwrap().recv_timeout(PATIENCE).map_err(io::Error::other)?;
        connection.write_chunk("last")?;
        connection.write("0\r\n\r\n")?;
        Ok(request)
    });
    (upstream, finish)
}

fn open_stream(proxy: &Proxy) -> Connection {
    let mut client = Connection::open(proxy.address);
    client.write(REQUEST).unwrap();
    client.read_head().unwrap();
    assert_eq!(client.read_chunk().unwrap(), b"first");
    client
}

#[test]
fn open_requests_are_finished_after_a_signal() {
    for signal in ["TERM", "INT"] {
        let (upstream, finish) = upstream();
        let mut proxy = Proxy::to(upstream.address, &[]);
        let mut client = open_stream(&proxy);
        let idle = Connection::open(proxy.address);
        proxy.signal(signal);
        proxy.wait_for("stopping");
        assert!(TcpStream::connect(proxy.address).is_err(), "still takes connections");
        finish.send(()).unwrap();
        assert_eq!(client.read_chunk().unwrap(), b"last");
        assert!(client.read_chunk().unwrap().is_empty());
        assert_eq!(proxy.wait().code(), Some(0), "{signal}");
        drop(idle);
    }
}

#[test]
fn requests_that_do_not_finish_are_cut_off_in_time() {
    let (upstream, _finish) = upstream();
    let mut proxy = Proxy::to(upstream.address, &["--drain-seconds", "1"]);
    let mut client = open_stream(&proxy);
    let start = Instant::now();
    proxy.signal("TERM");
    assert_eq!(proxy.wait().code(), Some(0));
    assert!((1..8).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(client.read_chunk().is_err(), "a cut stream looks whole");
}

#[test]
fn a_second_signal_ends_at_once() {
    let (upstream, _finish) = upstream();
    let mut proxy = Proxy::to(upstream.address, &["--drain-seconds", "600"]);
    let _client = open_stream(&proxy);
    proxy.signal("INT");
    proxy.wait_for("stopping");
    proxy.signal("INT");
    assert_eq!(proxy.wait().code(), Some(0));
}

#[test]
fn an_idle_proxy_ends_at_once() {
    let (upstream, _finish) = upstream();
    let mut proxy = Proxy::to(upstream.address, &["--drain-seconds", "600"]);
    let start = Instant::now();
    proxy.signal("TERM");
    assert_eq!(proxy.wait().code(), Some(0));
    assert!(start.elapsed().as_secs() < 8);
}

#[test]
fn a_port_in_use_is_an_error_that_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = headroom(&["proxy", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("{address} is in use")), "{}", stderr(&output));
}

#[test]
fn addresses_that_others_can_reach_need_a_token() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        // Without a folder there is none.
        let output = headroom(&["proxy", "--listen", address]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{address}");
        let text = stderr(&output);
        assert!(
            text.contains("can be reached from other machines") && text.contains("HEADROOM_HOME"),
            "{text}"
        );
    }
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let named =
        |name: &str| Upstream::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{name}"));
    let (one, two) = (named("one"), named("two"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let write = |text: String| std::fs::write(&file, text).unwrap();
    write(format!("upstream = 'http://{}'\nlisten = '127.0.0.1:0'", one.address));
    let proxy = Proxy::start(headroom(&["proxy", "--config"]).arg(&file));
    let asked = || String::from_utf8(exchange(proxy.address, REQUEST).body).unwrap();
    assert_eq!(asked(), "one");
    // A mistake changes nothing.
    write("upstream = 'nowhere'".to_owned());
    proxy.signal("HUP");
    let text = proxy.wait_for("the configuration is unchanged");
    assert!(text.contains("not a URL"), "{text}");
    assert_eq!(asked(), "one");
    let rest = "listen = '127.0.0.1:0'\ntier = 'lossless'";
    write(format!("upstream = 'http://{}'\n{rest}", two.address));
    proxy.signal("HUP");
    proxy.wait_for("tier changes only when the proxy is restarted");
    proxy.wait_for("configuration read again");
    assert_eq!(asked(), "two");
    write(format!("upstream = 'http://{}'\nlog = 'off'\n{rest}", one.address));
    proxy.signal("HUP");
    let start = Instant::now();
    while asked() != "one" {
        assert!(start.elapsed() < PATIENCE);
    }
    // What was written before may still be on its way.
    std::thread::sleep(std::time::Duration::from_millis(200));
    let lines = proxy.stderr().lines().count();
    assert_eq!(asked(), "one");
    assert_eq!(proxy.stderr().lines().count(), lines, "it still logs: {}", proxy.stderr());
}
