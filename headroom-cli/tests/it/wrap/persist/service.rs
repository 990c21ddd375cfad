//! The proxy as a service, by stand-ins for the programs of the systems that start it.

use std::{fs::OpenOptions, io::Write, process::Command};

use super::*;
use crate::support::skipped;

/// Notes each call. `end` ends the proxy and waits for that, as a process or as one that nobody has asked about yet.
const PROLOGUE: &str = r#"#!/bin/sh
echo "$@" >> "$HOME/../calls"
PID="$HOME/../pid"
export PID
end() {
    old=$(cat "$PID") && kill "$old" && rm "$PID" || return 1
    while grep -qv ') Z ' "/proc/$old/stat" 2> /dev/null; do sleep 0.02; done
}
"#;

/// Starts what the unit says.
const SYSTEMCTL: &str = r#"
unit="$HOME/.config/systemd/user/headroom-proxy.service"
case "$2" in
is-active) test -e "$PID";;
restart)
    if [ -e "$PID" ]; then end; fi
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    eval "$(sed -n 's/^Environment=/export /p' "$unit")"
    eval "exec $command" > /dev/null 2>&1 & echo $! > "$PID";;
disable) if [ -e "$PID" ]; then end; fi;;
esac"#;

/// Starts what the property list says. Like launchd, it refuses once while the old process ends.
const LAUNCHCTL: &str = r#"
case "$1 $2" in
print*/headroom-proxy) test -e "$PID";;
bootstrap*)
    if [ -e "$PID.ending" ]; then rm "$PID.ending"; echo "5: Input/output error" >&2; exit 5; fi
    exec python3 -c '
import os, plistlib, subprocess, sys
job = plistlib.load(open(sys.argv[1], "rb"))
assert job["Label"] == "headroom-proxy" and job["RunAtLoad"] and job["KeepAlive"] == {"SuccessfulExit": False}
environment = {"HOME": os.environ["HOME"], **job["EnvironmentVariables"]}
log = open(job["StandardErrorPath"], "ab")
null = subprocess.DEVNULL
proxy = subprocess.Popen(job["ProgramArguments"], env=environment, stdin=null, stdout=null, stderr=log)
open(os.environ["PID"], "w").write(str(proxy.pid))' "$3";;
bootout*) end && touch "$PID.ending";;
esac"#;

/// Keeps a task and starts what it says, with the variables of an account.
const SCHTASKS: &str = r#"
task="$PID.task"
case "$1" in
/Query) test -e "$task";;
/Create) cp "$6" "$task";;
/Delete) rm "$task";;
/End) test -e "$PID" && end;;
/Run) exec python3 -c '
import os, shlex, subprocess, sys
from xml.etree import ElementTree
find = lambda path: ElementTree.parse(sys.argv[1]).findtext(path, None, {"": "http://schemas.microsoft.com/windows/2004/02/mit/task"})
assert find("Triggers/LogonTrigger/UserId") == find("Principals/Principal/UserId") == "PC\\me"
assert find("Actions/Exec/Command") == "conhost.exe" and find("Settings/ExecutionTimeLimit") == "PT0S"
headless, *command = shlex.split(find("Actions/Exec/Arguments"))
assert headless == "--headless"
environment = {name: os.environ[name] for name in ["HOME", "HEADROOM_HOME"]}
null = subprocess.DEVNULL
proxy = subprocess.Popen(command, env=environment, stdin=null, stdout=null, stderr=null)
open(os.environ["PID"], "w").write(str(proxy.pid))' "$task";;
esac"#;

/// A manager, its program, the stand-in, where the definition is, and the calls by which it comes and goes.
type Manager = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);
const MANAGERS: [Manager; 3] = [
    (
        "systemd",
        "systemctl",
        SYSTEMCTL,
        "home/.config/systemd/user/headroom-proxy.service",
        &["--user enable headroom-proxy.service", "--user disable --now headroom-proxy.service"],
    ),
    (
        "launchd",
        "launchctl",
        LAUNCHCTL,
        "home/Library/LaunchAgents/headroom-proxy.plist",
        &[
            "bootstrap gui/UID HOME/Library/LaunchAgents/headroom-proxy.plist",
            "bootout gui/UID/headroom-proxy",
        ],
    ),
    (
        "schtasks",
        "schtasks",
        SCHTASKS,
        "store/headroom-proxy.xml",
        &[
            "/Create /F /TN headroom-proxy /XML STORE/headroom-proxy.xml",
            "/Run /TN headroom-proxy",
            "/End /TN headroom-proxy",
            "/Delete /F /TN headroom-proxy",
        ],
    ),
];

/// A system with stand-ins, an address for the proxy, and the process that was started there.
struct System {
    world: World,
    address: String,
}

impl System {
    /// `None` where there is no Python for the stand-ins.
    fn with(managers: &[Manager]) -> Option<Self> {
        let world = World::with("nothing", "true");
        if !Command::new("/usr/bin/python3").arg("--version").output().is_ok_and(|done| done.status.success())
        {
            skipped("there is no /usr/bin/python3 to stand for launchd and the Task Scheduler");
            return None;
        }
        for (_, program, script, ..) in managers {
            let path = world.path("bin").join(program);
            fs::write(&path, format!("{PROLOGUE}{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Some(Self { world, address })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.headroom(args);
        command.env("HEADROOM_LISTEN", &self.address).env("USERNAME", "me").env("USERDOMAIN", "PC");
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        text(&output.stdout).to_owned()
    }

    fn persist(&self, agent: &str, manager: &str) -> String {
        self.run(&["wrap", agent, "--persist", &format!("--service={manager}")])
    }

    fn calls(&self) -> String {
        read(&self.world.path("calls"))
    }

    /// A call as the stand-in notes it.
    fn call(&self, call: &str) -> String {
        let uid = fs::metadata(self.world.path("home")).unwrap().uid().to_string();
        let path = |name: &str| self.world.path(name).to_str().unwrap().to_owned();
        call.replace("UID", &uid).replace("HOME", &path("home")).replace("STORE", &path("store"))
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // Where a test has failed, the proxy still runs.
        if let Ok(pid) = fs::read_to_string(self.world.path("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

#[test]
fn the_service_comes_with_the_first_agent_and_goes_with_the_last() {
    for manager in MANAGERS {
        let Some(system) = System::with(&[manager]) else { return };
        let (name, _, _, file, calls) = manager;
        let said = system.persist("claude", name);
        assert!(said.contains("runs the proxy, now and whenever you log in"), "{name}: {said}");
        let definition = system.world.path(file);
        assert!(read(&definition).contains(&system.address), "{}", read(&definition));
        assert!(system.run(&["doctor"]).contains(&format!("goes to http://{}", system.address)), "{name}");
        // The second one restarts it.
        let first = read(&system.world.path("pid"));
        assert!(system.persist("goose", name).contains("runs the proxy"), "{name}");
        assert_ne!(read(&system.world.path("pid")), first, "{name}");
        assert!(!system.run(&["unwrap", "claude"]).contains("service"), "{name}");
        assert!(definition.exists(), "{name}");
        assert!(system.run(&["unwrap"]).contains("the service is stopped and removed"), "{name}");
        assert_eq!(fs::read_dir(system.world.path("home")).unwrap().count(), 0, "{name}");
        for gone in [&definition, &system.world.path("pid"), &system.world.path("pid.task")] {
            assert!(!gone.exists(), "{name}: {}", gone.display());
        }
        for call in calls {
            let call = system.call(call);
            assert!(system.calls().lines().any(|line| line == call), "{name}: {call}: {}", system.calls());
        }
    }
}

#[test]
fn variables_reach_the_service_of_every_system() {
    for manager in MANAGERS {
        let Some(system) = System::with(&[manager]) else { return };
        let own = system.world.path("home/own models & more");
        fs::create_dir(&own).unwrap();
        let config = own.join("h \"1\".toml");
        fs::write(&config, "tier = 'lossless'\n").unwrap();
        let service = format!("--service={}", manager.0);
        let args = ["--config", config.to_str().unwrap(), "wrap", "claude", "--persist", &service];
        let output = system.command(&args).env("HEADROOM_TENANT", "Ä <b> & \"c\"").output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let pid = read(&system.world.path("pid"));
        // Only root sees the variables of a process that writes no core dumps.
        let seen = |name: &str| fs::read(format!("/proc/{}/{name}", pid.trim()));
        if let (Ok(arguments), Ok(variables)) = (seen("cmdline"), seen("environ")) {
            let all = String::from_utf8_lossy(&[arguments, variables].concat()).into_owned();
            for part in [config.to_str().unwrap(), "Ä <b> & \"c\"\0", &system.address] {
                assert!(all.contains(part), "{}: {part}: {all}", manager.0);
            }
        }
        system.run(&["unwrap"]);
    }
}

#[test]
fn another_proxy_at_the_address_stays_until_the_next_login() {
    for manager in MANAGERS {
        let Some(mut system) = System::with(&[manager]) else { return };
        let proxy = Proxy::to(([127, 0, 0, 1], 1).into(), &[]);
        system.address = proxy.address.to_string();
        let said = system.persist("claude", manager.0);
        assert!(said.contains("It starts at the next login"), "{}: {said}", manager.0);
        assert!(!system.world.path("pid").exists(), "{}", manager.0);
        // Nothing runs that could be stopped.
        assert!(system.run(&["unwrap"]).contains("removed"), "{}", manager.0);
        assert!(!system.world.path(manager.3).exists(), "{}", manager.0);
    }
}

#[test]
fn the_manager_can_be_changed() {
    let Some(system) = System::with(&MANAGERS) else { return };
    for (name, _, _, file, _) in MANAGERS {
        system.persist("claude", name);
        let there: Vec<_> = MANAGERS
            .iter()
            .map(|manager| manager.3)
            .filter(|file| system.world.path(file).exists())
            .collect();
        assert_eq!(there, [file], "{name}");
    }
    system.run(&["unwrap"]);
    assert_eq!(fs::read_dir(system.world.path("home")).unwrap().count(), 0);
}

#[test]
fn services_of_others_are_left_alone() {
    for manager in MANAGERS {
        let Some(system) = System::with(&[manager]) else { return };
        let (name, _, _, file, _) = manager;
        let path = system.world.write(file, "somebody's");
        let service = format!("--service={name}");
        let output = system.command(&["wrap", "claude", "--persist", &service]).output().unwrap();
        let error = failed(&output, 1);
        assert!(error.contains("is not Headroom's"), "{name}: {error}");
        assert_eq!(read(&path), "somebody's");
        // One that is changed after it was set up is not Headroom's any more either.
        fs::remove_file(&path).unwrap();
        system.persist("claude", name);
        let mut changed = OpenOptions::new().append(true).open(&path).unwrap();
        changed.write_all(b"\n").unwrap();
        assert!(!system.run(&["unwrap"]).contains("service is stopped"), "{name}");
        assert!(path.exists(), "{name}");
    }
    let Some(system) = System::with(&MANAGERS[2..]) else { return };
    system.world.write("pid.task", "somebody's");
    let output = system.command(&["wrap", "claude", "--persist", "--service=schtasks"]).output().unwrap();
    assert!(failed(&output, 1).contains("the Task Scheduler has a headroom-proxy that is not Headroom's"));
}

#[test]
fn a_system_without_the_manager_says_what_to_do() {
    for (name, program, title) in [
        ("systemd", "systemctl", "systemd"),
        ("launchd", "launchctl", "launchd"),
        ("schtasks", "schtasks", "the Task Scheduler"),
    ] {
        let world = World::with(program, "exit 1");
        let service = format!("--service={name}");
        let error = failed(&world.run(&["wrap", "claude", "--persist", &service, "--json"]), 1);
        assert!(error.contains(&format!("{title} does not run for this user")), "{error}");
        assert!(
            error.contains("let your system run") && error.contains(" proxy` when you log in"),
            "{error}"
        );
        let persisted = json!(read(&world.path("home/.claude/settings.json")));
        assert!(persisted.as_str().unwrap().contains("8787"), "the rest is done");
    }
}

#[test]
fn the_manager_of_this_system_is_the_default() {
    let own = match () {
        () if cfg!(target_os = "macos") => MANAGERS[1],
        () => MANAGERS[0],
    };
    let Some(system) = System::with(&[own]) else { return };
    system.run(&["wrap", "claude", "--persist", "--service"]);
    assert!(system.world.path(own.3).exists());
    system.run(&["unwrap"]);
}

#[test]
fn a_record_of_an_earlier_version_is_one_of_systemd() {
    let Some(system) = System::with(&MANAGERS[..1]) else { return };
    system.persist("claude", "systemd");
    let record = system.world.path("store/persist/service.json");
    let old = read(&record).replace("\"manager\":\"systemd\",", "");
    assert_ne!(old, read(&record));
    fs::write(&record, old).unwrap();
    assert!(system.run(&["unwrap"]).contains("the service is stopped and removed"));
}
