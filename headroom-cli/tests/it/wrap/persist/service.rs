//! The proxy as a service.

use super::*;

/// Stands for systemd: notes what it is asked, and starts what the unit says.
const SYSTEMCTL: &str = r#"echo "$@" >> "$HOME/../calls"
unit="$HOME/.config/systemd/user/headroom-proxy.service"
case "$2" in
is-active) exit 3;;
restart)
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    eval "$(sed -n 's/^Environment=/export /p' "$unit")"
    eval "exec $command" > /dev/null 2>&1 & echo $! > "$HOME/../pid";;
disable) kill "$(cat "$HOME/../pid")";;
esac"#;

#[test]
fn the_service_comes_with_the_first_agent_and_goes_with_the_last() {
    let world = World::with("systemctl", SYSTEMCTL);
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let run = |args: &[&str]| {
        let output = world.headroom(args).env("HEADROOM_LISTEN", &address).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        text(&output.stdout).to_owned()
    };
    assert!(run(&["wrap", "claude", "--persist", "--service"]).contains("runs the proxy"));
    run(&["wrap", "goose", "--persist"]);
    let unit = world.path("home/.config/systemd/user/headroom-proxy.service");
    assert!(read(&unit).contains(&format!("Environment=\"HEADROOM_LISTEN={address}\"\n")), "{}", read(&unit));
    assert!(run(&["doctor"]).contains(&format!("goes to http://{address}")));
    assert!(!run(&["unwrap", "claude"]).contains("service"));
    assert!(unit.exists());
    assert!(run(&["unwrap"]).contains("the service is stopped and removed"));
    assert_eq!(fs::read_dir(world.path("home")).unwrap().count(), 0);
    let calls = read(&world.path("calls"));
    for call in ["--user enable headroom-proxy.service", "--user disable --now headroom-proxy.service"] {
        assert!(calls.contains(call), "{calls}");
    }
}

#[test]
fn without_systemd_the_error_says_what_to_do() {
    let world = World::with("systemctl", "exit 1");
    let error = failed(&world.run(&["wrap", "claude", "--persist", "--service", "--json"]), 1);
    assert!(error.contains("let your system run") && error.contains(" proxy` when you log in"), "{error}");
    let persisted = json!(read(&world.path("home/.claude/settings.json")));
    assert!(persisted.as_str().unwrap().contains("8787"), "the rest is done");
}
