use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    render(text, false).map_or_else(|| text.to_owned(), |rendered| rendered.text)
}

fn shows(text: &str, expected: &str) {
    assert_eq!(shown(text), expected, "{text:?}");
}

fn stays(text: &str) {
    assert_eq!(render(text, false), None, "{text:?}");
    assert_eq!(render(text, true), None, "{text:?}");
}

#[test]
fn colours_go_and_their_text_stays() {
    shows("\x1b[01m\x1b[Kerror:\x1b[m\x1b[K no such file\n", "error: no such file\n");
    shows("\x1b[38;5;208mred\x1b[0m  \r\nplain\r\n", "red  \r\nplain\r\n");
    shows("\x1b(B\x1b[mplain\x1b[?25l\n", "plain\n");
    shows("\x1b[1 q\x1b[!p\x1b[>4;1m\x1b[?2004hx\x1b[4:3m", "x");
}

#[test]
fn titles_and_targets_of_links_stay() {
    for text in [
        "see \x1b]8;;https://example.com/a\x07the docs\x1b]8;;\x07.",
        "\x1b]0;title\x07$ ls\n",
        "a\x1bP1$r0m\x1b\\b\x1b_Gi=1;AAAA\x1b\\c",
    ] {
        stays(text);
        shows(&format!("\x1b[1m{text}"), text);
    }
}

#[test]
fn a_text_without_control_bytes_needs_nothing() {
    for text in ["", "a\nb\n", "a\r\nb\r\n", "tab\tand bell\x07\n", "überall 漢字\r\n", "\r\n\r\n"] {
        stays(text);
    }
}

#[test]
fn records_that_end_with_a_carriage_return_stay() {
    let csv: String = (0..399).map(|n| format!("{n},customer {n},{}\r", n * 7)).collect();
    let readings: String =
        (0..50).map(|n| format!("T=2{}.{n} H=4{} id=sensor-{n}\r", n % 7, n % 9)).collect();
    for text in [csv, readings] {
        for hide in [false, true] {
            let shown = render(&text, hide).map_or_else(|| text.clone(), |rendered| rendered.text);
            assert_eq!(shown.trim_end_matches('\r'), text.trim_end_matches('\r'));
        }
    }
    for text in [
        "Dear team\rthe password of the staging database is hunter2\rplease rotate it before Friday\rBob",
        "ERROR 2: table orders missing\rERROR 3: cannot connect\rok",
        "12:00 ERROR bad phone \"+49 30 1234\r+49 30 9915\" for customer=cust-3\n",
        "Downloading 100%\rDone\n",
        "battery 40%\rbattery 45%\rbattery 100%\n",
        "id=1 10%\rid=2 100%\n",
        "pressure 3/9\rpressure 5/9\rpressure 7/9\n",
        "job ok\rjob ok\rjob ok\n",
        "1 2 3 4 5 6 7 8 9 10 11 12\r100 2 3 4 5 6 7 8 9 10 11 12\n",
        "Loading: 40% [==>  ] loss=0.53\rLoading: 100% [====] loss=0.41\n",
    ] {
        assert_eq!(render(text, false), None, "{text:?}");
    }
}

#[test]
fn frames_of_git_become_the_last() {
    shows(
        "remote: Counting objects:   0% (1/4040)        \rremote: Counting objects:  50% (2020/4040)        \r\
         remote: Counting objects: 100% (4040/4040)        \rremote: Counting objects: 100% (4040/4040), done.        \n",
        "remote: Counting objects: 100% (4040/4040), done.        \n",
    );
    shows(
        "remote: Counting objects:   1% (41/4040)\x1b[K\rremote: Counting objects: 100% (4040/4040), done.\x1b[K\r\n",
        "remote: Counting objects: 100% (4040/4040), done.\r\n",
    );
    shows(
        "Receiving objects:  12% (3/25)\rReceiving objects:  60% (15/25), 1.02 MiB | 1.01 MiB/s\r\
         Receiving objects: 100% (25/25), 2.31 MiB | 1.20 MiB/s, done.\n",
        "Receiving objects: 100% (25/25), 2.31 MiB | 1.20 MiB/s, done.\n",
    );
    shows("Enumerating objects: 5\rEnumerating objects: 12, done.\n", "Enumerating objects: 12, done.\n");
}

#[test]
fn frames_of_curl_and_wget_become_the_last() {
    let last = "100 28.6M  100 28.6M    0     0  16.0M      0  0:00:01  0:00:01 --:--:-- 16.0M";
    shows(
        &format!(
            "  % Total    % Received\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r \
             50 28.6M   50 14.3M    0     0  14.8M      0  0:00:01 --:--:--  0:00:01 14.8M\r{last}\n"
        ),
        &format!("  % Total    % Received\n{last}\n"),
    );
    shows("\r#####           8.3%\r#########      65.3%\r############## 100.0%\n", "############## 100.0%\n");
    let last = "a.bin           100%[===================>]  28.61M  15.0MB/s    in 1.9s    ";
    shows(
        &format!(
            "\ra.bin             0%[                    ]       0  --.-KB/s               \r\
             a.bin            10%[=>                  ]   3.04M  14.4MB/s    eta 2s     \r{last}\r\n"
        ),
        &format!("{last}\r\n"),
    );
}

#[test]
fn frames_of_pip_tqdm_and_apt_become_the_last() {
    shows(
        "  Installing build dependencies ... -\x08 \x08\\\x08 \x08done\r\n",
        "  Installing build dependencies ... done\r\n",
    );
    shows(
        "\x1b[?25l     \x1b[90m━━━━━━\x1b[0m \x1b[32m0.0/16.9 MB\x1b[0m \x1b[31m?\x1b[0m eta \x1b[36m-:--:--\x1b[0m\r\x1b[2K     \
         \x1b[91m━━━\x1b[0m\x1b[91m╸\x1b[0m\x1b[90m━━\x1b[0m \x1b[32m8.0/16.9 MB\x1b[0m \x1b[31m40.1 MB/s\x1b[0m eta \x1b[36m0:00:01\x1b[0m\r\x1b[2K     \
         \x1b[90m━━━━━━\x1b[0m \x1b[32m16.9/16.9 MB\x1b[0m \x1b[31m27.9 MB/s\x1b[0m eta \x1b[36m0:00:00\x1b[0m\r\n\x1b[?25h",
        "     ━━━━━━ 16.9/16.9 MB 27.9 MB/s eta 0:00:00\r\n",
    );
    shows(
        "\rLoading shards:   0%|          | 0/3 [00:00<?, ?it/s]\rLoading shards:  33%|███▎      | 1/3 [00:05<00:10,  5.10s/it]\r\
         Loading shards: 100%|██████████| 3/3 [00:15<00:00,  5.01s/it]\n",
        "Loading shards: 100%|██████████| 3/3 [00:15<00:00,  5.01s/it]\n",
    );
    shows(
        "\rReading package lists... 0%\r\rReading package lists... 58%\r\rReading package lists... Done\r\n",
        "Reading package lists... Done\r\n",
    );
}

#[test]
fn spinners_go() {
    shows(
        "⠙\x1b[1G\x1b[0K⠹\x1b[1G\x1b[0K⠸\x1b[1G\x1b[0K\x1b[1G\x1b[0K\nadded 57 packages in 3s\n\x1b[1G\x1b[0K⠋\x1b[1G\x1b[0K",
        "\nadded 57 packages in 3s\n",
    );
    shows("⠙ resolving\r⠹ resolving\r⠸ resolving\r✔ resolved\n", "⠸ resolving\r✔ resolved\n");
}

const CARGO: &str = "\x1b[1m\x1b[32m   Compiling\x1b[0m serde v1.0.228\n\
    \x1b[1m\x1b[36m    Building\x1b[0m [=====>        ] 3/9: serde, memchr\r\x1b[K\
    \x1b[1m\x1b[32m   Compiling\x1b[0m memchr v2.8.0\n\
    \x1b[1m\x1b[36m    Building\x1b[0m [========>     ] 6/9: regex\r\x1b[K\
    \x1b[1m\x1b[32m    Finished\x1b[0m `dev` profile in 3.14s\n";

#[test]
fn frames_that_nothing_covers_stay_unless_somebody_keeps_them() {
    shows(
        CARGO,
        "   Compiling serde v1.0.228\n    Building [=====>        ] 3/9: serde, memchr\r   Compiling memchr v2.8.0\n    \
         Building [========>     ] 6/9: regex\r    Finished `dev` profile in 3.14s\n",
    );
    let hidden = render(CARGO, true).unwrap();
    assert_eq!(
        hidden.text,
        "   Compiling serde v1.0.228\n   Compiling memchr v2.8.0\n    Finished `dev` profile in 3.14s\n"
    );
    assert_eq!((hidden.hidden, hidden.lines), (2, (2, 3)));
}

#[test]
fn frames_that_speak_of_trouble_are_not_hidden() {
    let text = "[1/9] building a\r[2/9] warning: b is deprecated\r[3/9] building c\r[4/9] building d\n";
    let hidden = render(text, true).unwrap();
    assert_eq!(hidden.text, "[2/9] warning: b is deprecated\r[4/9] building d\n");
    assert_eq!(hidden.hidden, 2);
}

#[test]
fn progress_over_several_lines_is_declined() {
    for text in [
        "aaaa: Pulling fs layer\nbbbb: Pulling fs layer\n\x1b[2A\x1b[2K\raaaa: Pull complete\x1b[2B",
        "\x1b[2J\x1b[Htop",
        "a\x1b[?1049hb",
        "a\nb\x1bMc",
        "a\x1b[sb\x1b[uc",
        "\x1b(0lqqk",
        "x\x1bcy",
    ] {
        stays(text);
    }
}

#[test]
fn lines_with_other_moves_stay_raw() {
    for line in [
        "漢字\r\x1b[Cx",
        "abc\x1b[1Pd",
        "x\x1b[99Gy",
        "abc\x08\x08X\x1b[K",
        "abcdef\x1b[4D\x1b[2Xz",
        "pass\x08word",
    ] {
        stays(&format!("{line}\n"));
        shows(&format!("{line}\n\x1b[1mbold\x1b[m\n"), &format!("{line}\nbold\n"));
    }
    shows("N\x08NA\x08AM\x08ME\x08E\n", "NAME\n");
}

#[test]
fn line_ends_are_kept() {
    shows("\x1b[1ma\x1b[m\r\nb\r\r\nc\n\rd\r", "a\r\nb\r\nc\nd");
}

#[test]
fn a_sequence_cut_off_by_the_end_of_the_text_is_dropped() {
    for cut in ["\x1b", "\x1b[", "\x1b[38;5", "\x1b("] {
        shows(&format!("abc{cut}"), "abc");
        stays(&format!("abc{cut}\nx"));
    }
    stays("abc\x1b]0;no end");
}

#[test]
fn words_of_a_diff_get_their_signs() {
    let diff = "\x1b[1mdiff --git a/c.py b/c.py\x1b[m\n\x1b[36m@@ -1,3 +1,3 @@\x1b[m\nCOLOR = \"blue\"\n\
        RETRIES = \x1b[31m3\x1b[m\x1b[32m70\x1b[m\n\x1b[31mgone = 1\x1b[m\nTLS = \x1b[32mTrue\x1b[m\n";
    shows(
        diff,
        "diff --git a/c.py b/c.py\n@@ -1,3 +1,3 @@\nCOLOR = \"blue\"\nRETRIES = [-3-]{+70+}\n[-gone = 1-]\nTLS = {+True+}\n",
    );
    let log = format!("{diff}\x1b[33mcommit abc (\x1b[32mmain\x1b[33m, \x1b[31morigin/main\x1b[33m)\x1b[m\n");
    assert!(shown(&log).ends_with("commit abc (main, origin/main)\n"), "{}", shown(&log));
    // If the text already contains the signs, the escape sequences stay.
    let signs = diff.replace("\"blue\"", "a[-1]");
    assert!(shown(&signs).contains("RETRIES = \x1b[31m3\x1b[m\x1b[32m70\x1b[m\n"), "{}", shown(&signs));
}

#[test]
fn colours_of_a_diff_with_signs_go() {
    shows(
        "\x1b[36m@@ -1,3 +1,3 @@\x1b[m\n a\n\x1b[31m-old\x1b[m\n\x1b[32m+\x1b[m\x1b[32mnew\x1b[m\n",
        "@@ -1,3 +1,3 @@\n a\n-old\n+new\n",
    );
    shows(" c.py | 5 \x1b[32m+++\x1b[m\x1b[31m--\x1b[m\n", " c.py | 5 +++--\n");
    shows(
        "\x1b[36m@@ -1 +1 @@\x1b[m\nx \x1b[31m[-3-]\x1b[m\x1b[32m{+70+}\x1b[m\n",
        "@@ -1 +1 @@\nx [-3-]{+70+}\n",
    );
}

#[test]
fn colours_that_are_the_only_sign_stay() {
    for text in [
        "\x1b[32m●\x1b[0m nginx\n\x1b[31m●\x1b[0m postgres\n",
        "\x1b[32mlogin\x1b[0m\n\x1b[31mlogout\x1b[0m\n",
        "timeout \x1b[31m30\x1b[0m\x1b[32m3\x1b[0m\n",
    ] {
        stays(text);
    }
    shows("\x1b[32mPASSED\x1b[0m a\n\x1b[31mFAILED\x1b[0m b\n", "PASSED a\nFAILED b\n");
    shows("\x1b[32mlogin passed\x1b[0m\n\x1b[31mlogout failed\x1b[0m\n", "login passed\nlogout failed\n");
    // grep: the match is red, the line number green.
    shows(
        "\x1b[35ma.rs\x1b[m\x1b[36m:\x1b[m\x1b[32m12\x1b[m\x1b[36m:\x1b[mlet \x1b[01;31m\x1b[Kx\x1b[m\x1b[K = 1;\n",
        "a.rs:12:let x = 1;\n",
    );
}

/// Returns the states of a line, with a reader that shares no code with the engine: removes escape sequences and splits
/// the line where the cursor goes back to its start.
fn states(line: &str) -> Vec<String> {
    let mut states = vec![String::new()];
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            '\r' => states.push(String::new()),
            '\x1b' => {
                let mut sequence = String::new();
                for char in chars.by_ref().skip(1) {
                    sequence.push(char);
                    if char.is_ascii_alphabetic() {
                        break;
                    }
                }
                if sequence == "1G" || sequence == "G" {
                    states.push(String::new());
                }
            }
            _ => states.last_mut().unwrap().push(char),
        }
    }
    states
}

/// Returns the words that only a later state of the same frame may replace.
fn words(state: &str) -> Vec<String> {
    let words = state.split(|c: char| !c.is_alphanumeric() && !"=._-".contains(c));
    let words = words.filter(|word| word.len() > 3 && word.contains(char::is_alphabetic));
    words.map(|word| word.trim_end_matches(['.', '-', '=']).to_owned()).collect()
}

fn line_piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{4,7}",
        2 => "[ -~&&[^|]]{0,9}",
        2 => "[0-9]{1,2}%",
        2 => "[1-4]/4",
        1 => Just(" [==>  ] ".to_owned()),
        1 => Just("⠙ ".to_owned()),
        2 => Just(" done".to_owned()),
        4 => Just("\r".to_owned()),
        1 => Just("\x1b[31m".to_owned()),
        1 => Just("\x1b[0m".to_owned()),
        1 => Just("\r\x1b[K".to_owned()),
        1 => Just("\x1b[1G".to_owned()),
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
    ]
}

proptest! {
    #[test]
    fn every_line_of_the_output_is_a_state_of_a_line_of_the_input(
        pieces in proptest::collection::vec(line_piece(), 0..40), hide in any::<bool>(),
    ) {
        let text = pieces.concat();
        let rendered = render(&text, hide);
        let out = rendered.as_ref().map_or(&*text, |rendered| &rendered.text);
        prop_assert_eq!(out.split('\n').count(), text.split('\n').count());
        for (before, after) in text.split('\n').zip(out.split('\n')) {
            if before == after {
                continue;
            }
            let known = states(before);
            let kept: Vec<&str> = after.split('\r').collect();
            // In order, and only blanks and drawings may disappear without a later state that has their words.
            let mut at = 0;
            for state in &kept {
                let found = known.iter().skip(at).position(|known| known == state);
                prop_assert!(found.is_some(), "{:?} is no state of {:?}", state, before);
                at += found.unwrap() + 1;
            }
            if rendered.as_ref().is_some_and(|rendered| rendered.hidden > 0) {
                continue;
            }
            for (n, state) in known.iter().enumerate() {
                let mut later = known.iter().skip(n).filter(|later| kept.contains(&later.as_str()));
                let covered = later.any(|later| {
                    let later = words(later);
                    words(state).iter().all(|word| later.contains(word))
                });
                prop_assert!(covered || words(state).is_empty(), "{:?} of {:?} is lost", state, before);
            }
        }
    }

    #[test]
    fn a_text_cannot_hide_words_behind_a_return(
        lines in proptest::collection::vec("[a-z]{2,8}( [a-z0-9=]{1,6}){0,3}", 2..12),
        back in proptest::sample::select(vec!["\r", "\r\x1b[K", "\x1b[2K\r", "\x1b[1G", "\r\r", "\x1b[1G\x1b[0K", "\r\x1b[2K\x1b[32m"]),
        hide in any::<bool>(),
    ) {
        let text = lines.join(back);
        let rendered = render(&text, hide);
        let out = rendered.as_ref().map_or(&*text, |rendered| &rendered.text);
        for line in &lines {
            let covered = rendered.as_ref().is_some_and(|rendered| rendered.hidden > 0);
            prop_assert!(covered || out.contains(line.as_str()), "{:?} is not in {:?}", line, out);
        }
    }

    #[test]
    fn any_text_is_taken(text in "([\x1b\\[\\]0-9;?A-Za-z(\r\n\x08\x07\\\\]|\\PC){0,60}", hide in any::<bool>()) {
        if let Some(rendered) = render(&text, hide) {
            prop_assert!(rendered.text.len() <= text.len() + 4 * text.matches("\x1b[").count());
            prop_assert_eq!(rendered.text.matches('\n').count(), text.matches('\n').count());
            prop_assert!(rendered.hidden == 0 || hide);
        }
    }
}
