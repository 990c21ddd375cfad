//! The agent is what it would be without us: arguments, environment, standard streams, signals, exit status.

use std::{fs, net::SocketAddr, process::Command};

use super::{World, files, send, text};
use crate::support::{Proxy, Upstream, exchange, on_terminal, request, skipped, stderr};

/// Says where the proxy is and stays until it may go.
pub(super) const WAIT: &str =
    "echo \"$ANTHROPIC_BASE_URL\" > url; while [ -e url ] && [ ! -e go ]; do sleep 0.02; done";

#[test]
fn its_exit_status_becomes_ours() {
    for (script, status) in
        [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)]
    {
        let output = World::with("claude", script).run(&["wrap", "claude"]);
        assert_eq!(output.status.code(), Some(status), "{script}: {}", stderr(&output));
    }
}

#[test]
fn its_arguments_arrive_as_they_were_given() {
    let world = World::with("claude", "for word; do printf '[%s]' \"$word\"; done");
    let output =
        world.run(&["wrap", "claude", "--", "-p", "two words", "", "it's \"$HOME\"", "--print", "--", "é*"]);
    assert_eq!(text(&output.stdout), "[-p][two words][][it's \"$HOME\"][--print][--][é*]");
}

#[test]
fn its_standard_streams_are_ours() {
    let world = World::with("claude", "cat; echo problem >&2");
    let output = crate::support::pipe(&mut world.headroom(&["wrap", "claude"]), b"question\n");
    assert_eq!(text(&output.stdout), "question\n", "ours stays out of it");
    assert!(stderr(&output).starts_with("problem\n"), "{}", stderr(&output));
}

#[test]
fn its_environment_differs_in_the_address_only() {
    let world = World::with("claude", "env");
    let lines = |output: &[u8]| {
        let mut lines: Vec<String> = text(output).lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("_=") && !line.starts_with("SHLVL="));
        lines.sort();
        lines
    };
    let mut direct = Command::new(world.path("bin/claude"));
    let wrapped = world.headroom(&["wrap", "claude"]);
    direct.env_clear().envs(wrapped.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let direct = lines(&direct.current_dir(world.path("work")).output().unwrap().stdout);
    let mut wrapped = lines(&world.run(&["wrap", "claude"]).stdout);
    let own = wrapped.iter().position(|line| line.starts_with("ANTHROPIC_BASE_URL=http://127.0.0.1:"));
    wrapped.remove(own.expect("no address"));
    assert_eq!(wrapped, direct);
}

#[test]
fn what_goes_through_an_http_proxy_leaves_us_out() {
    let world = World::with("claude", "echo $NO_PROXY $no_proxy");
    let mut command = world.headroom(&["wrap", "claude"]);
    let output =
        command.env("HTTPS_PROXY", "http://proxy:3128").env("no_proxy", "corp.example").output().unwrap();
    let both = "corp.example,127.0.0.1,localhost";
    assert_eq!(text(&output.stdout).trim(), format!("{both} {both}"));
}

#[test]
fn requests_reach_the_gateway_that_the_user_has_and_the_receipt_counts_them() {
    let world = World::with("claude", WAIT);
    let before = files(&world.path("home"));
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        connection
            .write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")?;
        Ok(request)
    });
    let gateway = format!("http://{}/gate", upstream.address);
    let child = world.headroom(&["wrap", "claude"]).env("ANTHROPIC_BASE_URL", &gateway).spawn().unwrap();
    let url = world.wait_for("url");
    let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    let body = request("anthropic");
    for path in ["/v1/messages?beta=true", "/v1/messages/count_tokens", "/v1/models"] {
        let method = if path == "/v1/models" { "GET" } else { "POST" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let response = exchange(address, [head.as_bytes(), &body].concat());
        assert_eq!(response.status(), 200, "{response:?}");
        let request = upstream.request();
        assert_eq!(request.target(), format!("/gate{path}"));
        assert_eq!(request.body.len() < body.len(), method == "POST", "{path}");
    }
    fs::write(world.path("work/go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let receipt = stderr(&output);
    assert!(
        receipt.starts_with("headroom: 1 request, tool results ") && receipt.contains(" -> "),
        "{receipt}"
    );
    assert!(receipt.trim_end().ends_with(" saved") && receipt.lines().count() == 1, "{receipt}");
    assert_eq!(files(&world.path("home")), before);
}

#[test]
fn a_receipt_says_when_nothing_came_through() {
    let output = World::with("claude", "true").run(&["wrap", "claude"]);
    assert!(
        stderr(&output).starts_with("headroom: no request came through the proxy"),
        "{}",
        stderr(&output)
    );
    let output = World::with("claude", "true").run(&["wrap", "claude", "--json"]);
    let receipt: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&receipt["headroom"]["requests"], &receipt["tokens_saved"]), (&0.into(), &0.into()));
}

#[test]
fn signals_go_on_to_it_once() {
    for (signal, status) in [("TERM", 3), ("INT", 4), ("HUP", 5), ("QUIT", 6), ("USR1", 7)] {
        let script = format!(
            "n=0; trap 'n=$((n+1))' {signal}; echo > ready\n\
             i=0; while [ $i -lt 100 ] && [ $n = 0 ]; do i=$((i+1)); sleep 0.05; done; sleep 0.2; exit $((n+{}))",
            status - 1
        );
        let world = World::with("claude", &script);
        let child = world.headroom(&["wrap", "claude"]).spawn().unwrap();
        world.wait_for("ready");
        send(&child, signal);
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(status), "{signal}");
    }
}

#[test]
fn keys_of_the_terminal_reach_it_once() {
    let world = World::with(
        "claude",
        "[ -t 0 ] && [ -t 1 ] && echo terminal; n=0; trap 'n=$((n+1))' INT; echo ready\n\
         i=0; while [ $i -lt 12 ]; do i=$((i+1)); sleep 0.05; done; echo interrupts $n; exit 9",
    );
    let Some(output) = on_terminal(&world.headroom(&["wrap", "claude"])) else {
        return skipped("there is no python3 to make a terminal");
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(9), "{shown}{}", stderr(&output));
    assert!(shown.contains("terminal\r\n") && shown.contains("interrupts 1\r\n"), "{shown}");
    assert!(shown.contains("headroom: no request"), "the receipt is missing: {shown}");
}

#[test]
fn the_receipt_begins_on_a_line_of_its_own_after_a_key_that_interrupts() {
    let world = World::with("claude", "trap 'printf Interrupted; exit 1' INT; echo ready; sleep 5 & wait");
    let Some(output) = on_terminal(&world.headroom(&["wrap", "claude"])) else {
        return skipped("there is no python3 to make a terminal");
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("Interrupted\r\nheadroom: no request"), "{shown}");
    // Where nobody interrupts, there is no empty line, and none at all where it is no terminal.
    let world = World::with("claude", "echo done");
    let shown = on_terminal(&world.headroom(&["wrap", "claude"])).unwrap().stdout;
    assert!(String::from_utf8_lossy(&shown).contains("done\r\nheadroom: no request"));
    assert!(stderr(&world.run(&["wrap", "claude"])).starts_with("headroom: "));
}

#[test]
fn a_proxy_that_runs_already_can_be_joined() {
    let world = World::with("claude", "echo $ANTHROPIC_BASE_URL");
    let proxy = Proxy::to(([127, 0, 0, 1], 1).into(), &[]);
    let address = proxy.address.to_string();
    let join =
        || world.headroom(&["wrap", "claude", "--join"]).env("HEADROOM_LISTEN", &address).output().unwrap();
    let output = join();
    assert_eq!(text(&output.stdout), format!("http://{address}\n"));
    assert!(stderr(&output).contains("keeps its own count"), "{}", stderr(&output));
    drop(proxy);
    // Whatever else listens there is not asked to carry keys.
    let _other = std::net::TcpListener::bind(&address).unwrap();
    let output = join();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no Headroom proxy answers"), "{}", stderr(&output));
}

#[test]
fn the_first_run_says_once_what_happens() {
    let world = World::with("claude", "exit 0");
    fs::remove_file(world.path("store/welcomed")).unwrap();
    let said = |args: &[&str]| stderr(&world.run(args)).contains("headroom: first run. ");
    assert!(!said(&["wrap", "claude", "--print"]), "nothing runs");
    assert!(said(&["wrap", "claude"]));
    assert!(!said(&["wrap", "claude"]));
    assert!(!said(&["wrap", "claude", "--json"]));
}
