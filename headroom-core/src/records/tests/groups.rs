//! Texts of programs that print lines under recurring heads.

use super::samples::{RecordStyle, fact, hash};

/// A style of records that is only its lines.
const fn style(
    name: &'static str,
    lines: fn(usize, &str, bool) -> Vec<String>,
    id: fn(usize, &str) -> String,
    parted: bool,
) -> RecordStyle {
    RecordStyle { name, lines, id, around: (&[], &[]), parted }
}

fn named(_: usize, name: &str) -> String {
    name.to_owned()
}

fn number(at: usize, _: &str) -> String {
    (at * 3 + 1).to_string()
}

pub(super) fn groups() -> Vec<RecordStyle> {
    vec![
        RecordStyle {
            around: (&["[New Thread 0x7f01 (LWP 9)]", ""], &[]),
            ..style("gdb", gdb, number, true)
        },
        style("valgrind", valgrind, |at, _| format!("{} bytes", at + 8), false),
        RecordStyle {
            around: (&["Full thread dump of the machine:", ""], &["", "JNI global refs: 4"]),
            ..style("jstack", jstack, named, true)
        },
        style("ifconfig", ifconfig, named, true),
        style("ip addr", ip_addr, named, false),
        style("iptables", iptables, named, true),
        RecordStyle {
            around: (&["# dmidecode 3.4", "SMBIOS 3.2.0 present.", ""], &[]),
            ..style("dmidecode", dmidecode, |at, _| format!("0x{:04X}", at + 16), true)
        },
        style("tshark", tshark, number, true),
        RecordStyle {
            around: (&["Failures:", ""], &["", "Finished in 2 seconds", "400 examples, 40 failures"]),
            ..style("rspec", rspec, named, true)
        },
        RecordStyle {
            around: (&[], &["", "Nmap done: 40 IP addresses (40 hosts up) scanned in 26 seconds"]),
            ..style("nmap", nmap, named, true)
        },
        style("aws text", aws, |at, _| format!("r-{}", &hash(at)[..17]), false),
        style("journal", journal, |at, _| format!("10:{:02}:{:02}.000000", at / 60, at % 60), false),
        style("blame", blame, |at, _| hash(at)[..8].to_owned(), false),
        style("columns below names", columns, named, true),
        style("packages between rules", packages, named, false),
    ]
}

fn gdb(at: usize, _: &str, is_fact: bool) -> Vec<String> {
    let frame =
        if is_fact { "lock_twice (self=0x5) at lock.c:97" } else { "wait_for_work (job=0x5) at pool.c:12" };
    vec![
        format!("!Thread {} (Thread 0x7f{:06x} (LWP {})):", at * 3 + 1, at * 8192, at + 900),
        "#0  0x00007ffff7ea4545 in futex_wait () from /lib/libc.so.6".to_owned(),
        format!("{}#1  0x0000555555{:06x} in {frame}", fact(is_fact), at * 64),
        format!("#2  0x00005555555553a2 in worker (arg=0x55{at:04x}) at pool.c:40"),
        "#3  0x00007ffff7ede8ec in clone3 () from /lib/libc.so.6".to_owned(),
    ]
}

fn valgrind(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let by = if is_fact { "free_twice" } else { "push" };
    vec![
        format!("!==77== {} bytes in 1 blocks are definitely lost in loss record {} of 140", at + 8, at + 1),
        "==77==    at 0x48417B4: malloc (in /usr/libexec/vgpreload.so)".to_owned(),
        format!("{}==77==    by 0x{:06X}: {by} (list.c:{})", fact(is_fact), at * 16 + 4096, at % 7 + 3),
        format!("==77==    by 0x1095D4: main ({}.c:17)", name.split('-').next().unwrap_or_default()),
        "==77== ".to_owned(),
    ]
}

fn jstack(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let state = if is_fact { "BLOCKED (on object monitor)" } else { "WAITING (parking)" };
    vec![
        format!("!\"{name}\" #{at} prio=5 os_prio=0 tid=0x00007fc4{at:08x} nid=0x{:x} waiting", at + 800),
        format!("{}   java.lang.Thread.State: {state}", fact(is_fact)),
        "\tat jdk.internal.misc.Unsafe.park(java.base@17/Native Method)".to_owned(),
        format!("\t- parking to wait for  <0x00000007{at:08x}> (a java.util.concurrent.Queue)"),
        "\tat java.lang.Thread.run(java.base@17/Thread.java:840)".to_owned(),
        String::new(),
        "   Locked ownable synchronizers:".to_owned(),
        "\t- None".to_owned(),
    ]
}

fn ifconfig(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let errors = if is_fact { 48_123 } else { 0 };
    vec![
        format!("!{name}: flags={}<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500", 4163 - at % 3 * 32),
        format!("        inet 10.0.{at}.1  netmask 255.255.255.0  broadcast 10.0.{at}.255"),
        format!("        ether 02:00:00:00:00:{at:02x}  txqueuelen 1000  (Ethernet)"),
        format!("        RX packets {}  bytes {}", at * 77, at * 7700),
        format!("{}        RX errors {errors}  dropped 0  overruns 0  frame 0", fact(is_fact)),
    ]
}

fn ip_addr(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let mtu = if is_fact { 9000 } else { 1500 };
    let head =
        format!("{}: {name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP", at + 1);
    vec![
        format!("!{head} group default qlen 1000"),
        format!("    link/ether 02:00:00:00:00:{at:02x} brd ff:ff:ff:ff:ff:ff"),
        format!("    inet 10.0.{at}.1/24 scope global {name}"),
        format!("{}       maximum {mtu}", fact(is_fact)),
    ]
}

fn iptables(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let head = if at.is_multiple_of(5) { "policy ACCEPT 0 packets, 0 bytes" } else { "2 references" };
    let target = if is_fact { "REJECT" } else { "ACCEPT" };
    vec![
        format!("!Chain {name} ({head})"),
        " pkts bytes target     prot opt in     out     source               destination".to_owned(),
        format!("    0     0 ACCEPT     6    --  *      *       10.0.{at}.0/24          0.0.0.0/0"),
        format!(
            "{}    0     0 {target}     6    --  *      *       10.1.{at}.0/24          0.0.0.0/0",
            fact(is_fact)
        ),
    ]
}

fn dmidecode(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let speed = if is_fact { 2133 } else { 2933 };
    vec![
        format!("!Handle 0x{:04X}, DMI type 17, 84 bytes", at + 16),
        "Memory Device".to_owned(),
        "\tTotal Width: 72 bits".to_owned(),
        format!("\tLocator: DIMM {name}"),
        format!("{}\tConfigured Memory Speed: {speed} MT/s", fact(is_fact)),
        "\tType Detail:".to_owned(),
        "\t\tSynchronous".to_owned(),
    ]
}

fn tshark(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let reset = if is_fact { "Reset: Set" } else { "Reset: Not set" };
    vec![
        format!("!Frame {}: 74 bytes on wire (592 bits), 74 bytes captured (592 bits)", at * 3 + 1),
        format!("    Arrival Time: Jun  1, 2031 10:00:{:02}.000000000", at % 60),
        "    Encapsulation type: Ethernet (1)".to_owned(),
        "Ethernet II, Src: 02:00:00:00:00:01, Dst: 02:00:00:00:00:02".to_owned(),
        "    Type: IPv4 (0x0800)".to_owned(),
        format!("Transmission Control Protocol, Src Port: {}, Dst Port: 80", 50_000 + at),
        format!("    Host: {name}.example.org"),
        "    Flags: 0x018 (PSH, ACK)".to_owned(),
        format!("{}        .... .0.. = {reset}", fact(is_fact)),
    ]
}

fn rspec(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let got = if is_fact { "an exception of the ledger".to_owned() } else { (at + 2).to_string() };
    vec![
        format!("!  {}) Cart of {name} adds lines", at + 1),
        format!("     Failure/Error: expect(cart.total).to eq({at})"),
        String::new(),
        format!("       expected: {at}"),
        format!("{}            got: {got}", fact(is_fact)),
        String::new(),
        format!("     # ./spec/cart_spec.rb:{}:in `block'", at + 4),
    ]
}

fn nmap(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let state = if is_fact { "open  " } else { "closed" };
    vec![
        format!("!Nmap scan report for {name}.example.org (10.0.{at}.9)"),
        "Host is up (0.00034s latency).".to_owned(),
        String::new(),
        "PORT     STATE  SERVICE".to_owned(),
        "22/tcp   closed ssh".to_owned(),
        format!("{}8080/tcp {state} http", fact(is_fact)),
        "9000/tcp closed cslistener".to_owned(),
    ]
}

fn aws(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let state = if is_fact { "80\tstopped" } else { "16\trunning" };
    vec![
        format!("!RESERVATIONS\t123456789012\tr-{}", &hash(at)[..17]),
        format!("INSTANCES\t0\tx86_64\tami-{}\ti-{}\tt3.micro", &hash(at + 500)[..17], &hash(at + 900)[..17]),
        "MONITORING\tdisabled".to_owned(),
        format!("NETWORKINTERFACES\tinterface\teni-{}\t10.0.{at}.4", &hash(at + 700)[..17]),
        "ATTACHMENT\t0\tattached".to_owned(),
        format!("{}STATE\t{state}", fact(is_fact)),
        format!("TAGS\tName\t{name}"),
    ]
}

fn journal(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let priority = if is_fact { 3 } else { 6 };
    let time = format!("Mon 2031-06-01 10:{:02}:{:02}.000000 UTC", at / 60, at % 60);
    vec![
        format!("!{time} [s={};i={:x};b={};m=1]", &hash(7)[..16], 4096 + at, &hash(8)[..16]),
        "    _TRANSPORT=syslog".to_owned(),
        format!("{}    PRIORITY={priority}", fact(is_fact)),
        format!("    _PID={}", 900 + at % 5),
        "    _HOSTNAME=box".to_owned(),
        format!("    MESSAGE=request of {name} served"),
    ]
}

fn blame(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let author = if is_fact { "Zoe Lantern" } else { "Ada Quill" };
    vec![
        format!("!{} {} {}", hash(at), at + 1, at + 1),
        format!("{}author {author}", fact(is_fact)),
        "author-mail <ada@example.org>".to_owned(),
        format!("author-time {}", 1_930_000_000 + at * 60),
        "summary Let the ledger say why".to_owned(),
        "filename src/ledger.rs".to_owned(),
        format!("\tlet part = \"{name}\";"),
    ]
}

fn packages(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let needed = if is_fact { "a-library-nobody-else-needs" } else { "requests, rich" };
    let mut lines = if at > 0 { vec!["---".to_owned()] } else { Vec::new() };
    lines.extend([
        format!("!Name: {name}"),
        format!("Version: 1.{}.0", at % 7),
        "Classifiers:".to_owned(),
        "  Development Status :: 5 - Production/Stable".to_owned(),
        "  Programming Language :: Python :: 3".to_owned(),
        String::new(),
        "Entry-points:".to_owned(),
        "  [console_scripts]".to_owned(),
        format!("{}Requires: {needed}", fact(is_fact)),
    ]);
    lines
}

fn columns(at: usize, name: &str, is_fact: bool) -> Vec<String> {
    let used = if is_fact { 99 } else { 40 + at * 5 % 9 };
    vec![
        format!("!volume group {name}"),
        "  device    size   used   state".to_owned(),
        format!("{}  /dev/sda  100G   {used}%    clean", fact(is_fact)),
        format!("  /dev/sdb  100G   {}%    clean", 40 + at % 7),
    ]
}
