//! The page of `headroom dashboard` in a real browser.
#![cfg(unix)]

mod chromium;

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use self::chromium::Chromium;
use crate::support::{Proxy, Upstream, exchange, headroom, ok, post, request, skipped};

/// A browser, a proxy and its user's folder; `None` where there is no browser.
fn setup(upstream: &Upstream) -> Option<(Chromium, Proxy, tempfile::TempDir)> {
    let Some(browser) = Chromium::start() else {
        skipped("there is no Chromium (apt install chromium, or name one in HEADROOM_CHROMIUM)");
        return None;
    };
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    Some((browser, proxy, home))
}

fn provider() -> Upstream {
    let usage = json!({"input_tokens": 1000, "cache_read_input_tokens": 3000, "output_tokens": 10});
    let answer = json!({"type": "message", "model": "claude-opus-5-5", "content": [], "usage": usage});
    Upstream::answering(ok(&answer.to_string()))
}

fn link(proxy: &Proxy, home: &tempfile::TempDir) -> String {
    let mut command = headroom(&["dashboard", "--listen", &proxy.address.to_string()]);
    let output = command.env("HEADROOM_HOME", home.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where screenshots are wanted, if they are.
fn screenshot(browser: &mut Chromium, name: &str) {
    if let Some(folder) = env::var_os("HEADROOM_SCREENSHOTS").map(PathBuf::from) {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name).with_extension("png"), browser.screenshot()).unwrap();
    }
}

/// The page has nothing to complain of, asks nobody else, and does not scroll sideways.
fn is_clean(browser: &mut Chromium, proxy: &Proxy) {
    let wide = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(wide, 0, "wider than the window");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    for url in browser.requested() {
        assert!(url.starts_with(&format!("http://{}/dashboard", proxy.address)), "{url}");
        assert!(!url.contains(['?', '#']), "no secrets in addresses: {url}");
    }
}

#[test]
fn a_link_opens_the_page_and_requests_show_up() {
    let upstream = provider();
    let Some((mut browser, proxy, home)) = setup(&upstream) else { return };
    browser.open(&format!("http://{}/dashboard", proxy.address));
    browser.wait("!document.getElementById('closed').hidden");
    screenshot(&mut browser, "closed");
    browser.open(&link(&proxy, &home));
    browser.wait("!document.getElementById('empty').hidden");
    assert_eq!(browser.value("location.hash"), "", "the code leaves the address");
    let told = browser.value("document.getElementById('empty').innerText");
    assert!(
        told.as_str().unwrap().contains(&format!("ANTHROPIC_BASE_URL=http://{}", proxy.address)),
        "{told}"
    );
    screenshot(&mut browser, "empty");
    for n in 0..3 {
        let project = format!("x-headroom-project: /home/dev/shop-{n}\r\n");
        exchange(proxy.address, post("/v1/messages", &project, &request("anthropic")));
    }
    browser.wait("document.querySelectorAll('#requests tr').length === 3");
    let saved = browser.value("document.getElementById('saved').textContent");
    assert!(saved.as_str().unwrap().starts_with('$') && saved != "$0.00", "{saved}");
    assert_eq!(browser.value("document.getElementById('cache').textContent"), "75.0 %");
    assert_eq!(browser.value("document.querySelector('#tools .name').textContent"), "Bash");
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)] {
        browser.show_as(scheme, width);
        is_clean(&mut browser, &proxy);
        screenshot(&mut browser, &format!("busy-{scheme}-{width}"));
    }
    // A reload needs no new link, another tab does.
    browser.show_as("light", 1280);
    browser.reload();
    browser.wait("document.querySelectorAll('#requests tr').length === 3");
    is_clean(&mut browser, &proxy);
}

#[test]
fn the_keyboard_reaches_a_request_and_its_texts() {
    let upstream = provider();
    let Some((mut browser, proxy, home)) = setup(&upstream) else { return };
    exchange(proxy.address, post("/v1/messages", "", &request("anthropic")));
    browser.open(&link(&proxy, &home));
    browser.wait("document.querySelectorAll('#requests tr').length === 1");
    // Everything that can be used is reached with the tabulator, and the row is one of it.
    let mut reached = Vec::new();
    for _ in 0..12 {
        browser.press("Tab", 9);
        let at = browser
            .value("document.activeElement.closest('#requests') ? 'row' : document.activeElement.tagName");
        reached.push(at.clone());
        if at == "row" {
            break;
        }
    }
    assert_eq!(reached.first(), Some(&Value::from("A")), "the link past everything is first: {reached:?}");
    assert_eq!(reached.last(), Some(&Value::from("row")), "{reached:?}");
    // What updates must not take the focus away.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(browser.value("document.activeElement.closest('#requests') !== null"), true);
    browser.press("Enter", 13);
    browser.wait("document.getElementById('detail').open && document.getElementById('before').textContent.length > 100");
    let before = browser.value("document.getElementById('before').textContent");
    let after = browser.value("document.getElementById('after').textContent");
    assert!(before.as_str().unwrap().contains("\"state\": \"secret-state\""), "{before}");
    assert!(after.as_str().unwrap().len() * 2 < before.as_str().unwrap().len(), "{after}");
    for (scheme, width) in [("light", 1280), ("dark", 390)] {
        browser.show_as(scheme, width);
        is_clean(&mut browser, &proxy);
        screenshot(&mut browser, &format!("detail-{scheme}-{width}"));
    }
    browser.press("Escape", 27);
    browser.wait("!document.getElementById('detail').open");
    assert_eq!(
        browser.value("document.activeElement.closest('#requests') !== null"),
        true,
        "back where it was"
    );
}

#[test]
fn a_screen_reader_is_told_what_everything_is() {
    let upstream = provider();
    let Some((mut browser, proxy, home)) = setup(&upstream) else { return };
    exchange(proxy.address, post("/v1/messages", "", &request("anthropic")));
    browser.open(&link(&proxy, &home));
    browser.wait("document.querySelectorAll('#requests tr').length === 1");
    let named = browser.accessible();
    for (role, name) in [
        ("heading", "Headroom"),
        ("status", ""),
        ("group", "Period"),
        ("radio", "30 days"),
        ("heading", "Recent requests"),
        ("columnheader", "Saved"),
        ("button", "Request 1"),
        ("image", "Dollars saved on each of the last 30 days"),
    ] {
        let is_there =
            named.iter().any(|(its_role, its_name)| its_role == role && its_name.starts_with(name));
        assert!(is_there, "no {role} {name:?} in {named:?}");
    }
    let unnamed: Vec<_> = named
        .iter()
        .filter(|(role, name)| {
            ["button", "radio", "checkbox", "link", "image"].contains(&role.as_str()) && name.is_empty()
        })
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}
