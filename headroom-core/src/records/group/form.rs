//! The form of a line: how it starts, whatever the names and numbers in it.

/// Limit on the bytes of a line that its form depends on.
const MAX_BYTES: usize = 64;
/// Limit on the signs of a form.
const MAX_SIGNS: usize = 24;
/// Stand for a number, and for a word with dots or slashes in it: the name of a host, a file or a class.
const NUMBER: u8 = b'0';
const NAME: u8 = 1;

/// Returns a hash of how a line starts: its first word up to `:`, `=`, `,` or `(`. What has a digit is a number. Signs
/// alone say little, so the word behind them counts too.
pub(super) fn form(text: &str) -> u32 {
    let text = text.as_bytes();
    let bytes = text.get(..MAX_BYTES).unwrap_or(text);
    let start = bytes.iter().position(u8::is_ascii_alphanumeric).unwrap_or(bytes.len());
    let (signs, rest) = bytes.split_at_checked(start).unwrap_or((bytes, &[]));
    let mut hash = signs.iter().filter(|sign| !matches!(sign, b' ' | b'\t')).fold(SEED, add);
    // What is quoted is a name.
    if signs.ends_with(b"\"") || signs.ends_with(b"'") || signs.ends_with(b"<") || signs.ends_with(b"{") {
        return hash;
    }
    let end =
        rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'=' | b',' | b'(')).unwrap_or(rest.len());
    let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    let mut count = 0;
    for part in word.split_inclusive(|byte| *byte == b':') {
        let bare = part.strip_suffix(b":").unwrap_or(part);
        count += 1;
        if count * 3 > MAX_SIGNS {
            break;
        }
        hash = match kind(bare) {
            Some(sign) => add(hash, &sign),
            None => bare.iter().fold(hash, add),
        };
        // Of `04:3a:ff:01` the length does not matter.
        if count > 2 {
            break;
        }
        hash = if part.len() > bare.len() { add(hash, &b':') } else { hash };
    }
    behind.first().filter(|mark| !matches!(mark, b' ' | b'\t')).map_or(hash, |mark| add(hash, mark))
}

/// Returns the sign that stands for a word, unless it stands for itself.
fn kind(word: &[u8]) -> Option<u8> {
    let is_inner = |at: usize| at > 0 && at + 1 < word.len();
    let has_mark = word.iter().enumerate().any(|(at, byte)| matches!(byte, b'.' | b'/') && is_inner(at));
    let is_hexadecimal = word.len() == 2 && word.iter().all(u8::is_ascii_hexdigit);
    if has_mark {
        Some(NAME)
    } else if word.iter().any(u8::is_ascii_digit) || is_hexadecimal {
        Some(NUMBER)
    } else {
        None
    }
}

const SEED: u32 = 0x811c_9dc5;

/// One step of FNV-1a.
const fn add(hash: u32, byte: &u8) -> u32 {
    (hash ^ *byte as u32).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_do_not_change_the_form() {
        for (a, b) in [
            ("Thread 5 (Thread 0x7f00)", "Thread 41 (Thread 0x7f12)"),
            ("\"main\" #1 prio=5", "\"VM Thread\" os_prio=0"),
            ("#0  0x00 in read", "#12  0x77 in main"),
            ("eth0: flags=4163<UP>", "eth12: flags=73<DOWN>"),
            ("2: lo: <UP>", "14: eth0: <UP>"),
            ("00:1f.2 SATA controller", "04:00.0 Bridge"),
            ("1) Cart adds", "17) Cart removes"),
            ("src/a.c:12:5: warning: x", "b.c:99:1: warning: y"),
            ("Size:   4 kB", "Size:   128 kB"),
            ("58:aa:37:4a:18:df", "aa:37:4a"),
            ("harbor.example.org. 301 IN A", "quill.example.org. 17 IN A"),
            ("1000,\"Harbor, Quill\",x", "1001,\"Ember\",y"),
        ] {
            assert_eq!(form(a), form(b), "{a} {b}");
        }
    }

    #[test]
    fn words_change_the_form() {
        for (a, b) in [
            ("Thread 5", "Frame 5"),
            ("- locked <0x1>", "- None"),
            ("PORT STATE SERVICE", "Nmap scan report"),
            ("inet 10.0.0.1/8", "inet6 ::1/128"),
            ("Name: x", "Names: x"),
            (";; Got answer:", ";; QUESTION SECTION:"),
        ] {
            assert_ne!(form(a), form(b), "{a} {b}");
        }
    }
}
