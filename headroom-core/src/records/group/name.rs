//! Names groups: by the start of their heads that no other head has, or else by a line below that differs.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{MIN_GROUPS, form::form};
use crate::records::{
    body::Body,
    record::{Name, Record},
};

/// Heads that start with a number and are at most this long are names as they are.
const MAX_WHOLE_BYTES: usize = 48;
/// Lines below a head in which a name is looked for.
const MAX_DISTANCE: usize = 16;
/// Percentage of the groups in which a line that names them differs.
const MIN_DISTINCT: usize = 90;

/// Names each group.
pub(super) fn name<'t>(bodies: &[Body<'t>], records: &mut [Record<'t>]) {
    let heads: Vec<&'t str> =
        records.iter().map(|record| bodies.get(record.lines.start).map_or("", Body::bare)).collect();
    let different: FxHashSet<&str> = heads.iter().copied().collect();
    let many = different.len() * 100 >= heads.len() * MIN_DISTINCT;
    let below = if many { None } else { names_below(bodies, records) };
    let starts = starts(&heads);
    for (at, record) in records.iter_mut().enumerate() {
        let line = record.lines.start;
        // What all heads are tells nothing.
        if different.len() > 1 {
            let head = heads.get(at).copied().unwrap_or_default();
            let start = starts.get(at).filter(|_| many).copied().unwrap_or(head);
            let text = start.trim_end_matches([':', ',', ';', '(', '{', ' ']);
            record.names.push(Name { line, text, is_cut: is_cut(text, head) });
        }
        if let Some((line, text)) = below.as_ref().and_then(|below| below.get(at)).copied().flatten() {
            record.named(line, text);
        }
    }
}

/// Returns for each head the words at its start that no other head of its form starts with, and more if they are numbers
/// only. Heads of a rare form are names as they are.
fn starts<'t>(heads: &[&'t str]) -> Vec<&'t str> {
    let mut order: Vec<(u32, &str)> = heads.iter().map(|head| (form(head), *head)).collect();
    order.sort_unstable();
    order.dedup();
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for (form, _) in &order {
        *counts.entry(*form).or_default() += 1;
    }
    // Sorted, the heads that share most words are next to each other.
    let mut shared: FxHashMap<&str, usize> = FxHashMap::default();
    for pair in order.windows(2) {
        let [(_, a), (_, b)] = pair else { continue };
        let words = common_words(a, b);
        for head in [*a, *b] {
            let most = shared.entry(head).or_default();
            *most = words.max(*most);
        }
    }
    let name = |head: &&'t str| {
        let is_usual = counts.get(&form(head)).is_some_and(|count| *count >= MIN_GROUPS);
        if is_usual { start(head, shared.get(head).map_or(1, |words| words + 1)) } else { *head }
    };
    heads.iter().map(name).collect()
}

/// Whether a head goes on behind this name as a sentence or a list does, so that the name may say something else than the head:
/// `must` is not `must never`. A name that ends with a number or a sign is whole.
fn is_cut(name: &str, head: &str) -> bool {
    let rest = head.get(name.len()..).unwrap_or_default();
    let next = rest.trim_start_matches([' ', '\t']).split([' ', '\t']).next().unwrap_or_default();
    let is_list = rest.starts_with([',', ';']) && rest.len() > 1;
    let last = name.rsplit([' ', '\t']).next().unwrap_or_default();
    let is_word = last.ends_with(char::is_alphabetic) && !last.contains(|c: char| c.is_ascii_digit());
    is_list || is_word && next.starts_with(char::is_alphanumeric) && !next.contains('=')
}

fn common_words(a: &str, b: &str) -> usize {
    a.split_ascii_whitespace().zip(b.split_ascii_whitespace()).take_while(|(a, b)| a == b).count()
}

/// Returns the first words of a head: at least this many, until they have a letter and close what they open.
fn start(head: &str, words: usize) -> &str {
    let mut count = 0;
    let mut is_in_word = false;
    for (at, byte) in head.bytes().enumerate() {
        let is_space = matches!(byte, b' ' | b'\t');
        if is_space && is_in_word {
            count += 1;
            let text = head.get(..at).unwrap_or_default();
            if count >= words && !is_name(text) && head.len() <= MAX_WHOLE_BYTES {
                return head;
            }
            if count >= words && is_name(text) {
                return text;
            }
        }
        is_in_word = !is_space;
    }
    head
}

/// Whether this has a letter and closes its quotes and brackets.
fn is_name(text: &str) -> bool {
    let count = |mark: char| text.matches(mark).count();
    text.contains(|c: char| c.is_alphabetic())
        && count('"') % 2 == 0
        && count('(') <= count(')')
        && count('[') <= count(']')
}

/// Returns the line of each group that names it, if lines of one form differ in nearly all groups; those with words
/// rather than numbers first.
fn names_below<'t>(bodies: &[Body<'t>], records: &[Record<'t>]) -> Option<Vec<Option<(usize, &'t str)>>> {
    let mut order: Vec<u32> = Vec::new();
    let mut found: FxHashMap<u32, Vec<Option<(usize, &'t str)>>> = FxHashMap::default();
    for (at, record) in records.iter().enumerate() {
        for line in record.lines.clone().skip(1).take(MAX_DISTANCE) {
            let Some(body) = bodies.get(line).filter(|body| !body.is_blank()) else { continue };
            let form = form(body.bare());
            let lines = found.entry(form).or_insert_with(|| {
                order.push(form);
                vec![None; records.len()]
            });
            if let Some(own) = lines.get_mut(at).filter(|own| own.is_none()) {
                *own = Some((line, body.bare()));
            }
        }
    }
    let differs = |form: &&u32| {
        let lines = found.get(*form).map(Vec::as_slice).unwrap_or_default();
        let texts: FxHashSet<&str> = lines.iter().flatten().map(|(_, text)| *text).collect();
        // A row of numbers names nothing.
        let have_letters = lines.iter().flatten().all(|(_, text)| text.contains(char::is_alphabetic));
        have_letters && texts.len() * 100 >= records.len() * MIN_DISTINCT
    };
    // Hexadecimal digits are no words.
    let has_words = |form: &&u32| {
        let mut lines = found.get(*form).into_iter().flatten().flatten().map(|(_, text)| *text);
        let first = lines.next().unwrap_or_default();
        let other = lines.find(|text| *text != first).unwrap_or_default();
        let pairs = first.split_ascii_whitespace().zip(other.split_ascii_whitespace());
        let mut changed = pairs.filter(|(a, b)| a != b).map(|(a, _)| a);
        changed.any(|word| word.bytes().any(|byte| matches!(byte.to_ascii_lowercase(), b'g'..=b'z')))
    };
    let telling = order.iter().filter(differs).find(has_words).or_else(|| order.iter().find(differs))?;
    found.remove(telling)
}

/// Returns what groups with these names are called: the word before each name if that is one word more, as in `Thread 5`.
pub(in crate::records) fn noun(labels: &[String]) -> Option<String> {
    let first = labels.first()?;
    let (word, _) = first.split_once(' ')?;
    let is_word = (3..=16).contains(&word.len())
        && word.bytes().skip(1).all(|byte| byte.is_ascii_lowercase())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && !word.ends_with(['s', 'x', 'y', 'h']);
    let fits = |label: &String| {
        label
            .split_once(' ')
            .is_some_and(|(own, name)| own == word && !name.is_empty() && !name.contains(' '))
    };
    let plural = if labels.len() == 1 { "" } else { "s" };
    (is_word && labels.iter().all(fits)).then(|| format!("{}{plural}", word.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_told_apart_by_their_first_words() {
        let long = " and more of what every head of this form says behind its name";
        for (heads, names) in [
            (["Thread 5 (LWP 9)", "Thread 41 (LWP 10)"], ["Thread 5", "Thread 41"]),
            (["\"GC Thread#0\" os_prio=0", "\"VM Thread\" os_prio=0"], ["\"GC Thread#0\"", "\"VM Thread\""]),
            (["2: lo: <UP>", "3: eth0: <UP>"], ["2: lo:", "3: eth0:"]),
            (["veth2: flags=1", "br-7: flags=1"], ["veth2:", "br-7:"]),
        ] {
            let heads = heads.map(|head| format!("{head}{long}"));
            let others = ["93", "94"].map(|other| heads[0].replace(['2', '5', '0'], other));
            let heads = [heads[0].as_str(), heads[1].as_str(), others[0].as_str(), others[1].as_str()];
            assert_eq!(starts(&heads)[..2], names);
        }
    }

    #[test]
    fn a_name_that_says_something_else_than_its_head_is_marked() {
        for (name, head, cut) in [
            ("The gate must", "The gate must never be opened", true),
            ("subject=C = IT", "subject=C = IT, L = Milan", true),
            ("The gate must never be opened", "The gate must never be opened:", false),
            ("Thread 5", "Thread 5 waits for a lock", false),
            ("\"GC Thread#0\"", "\"GC Thread#0\" os_prio=0", false),
            ("eth", "eth mtu=1500", false),
            ("lo", "lo: <UP> mtu 1500", false),
        ] {
            assert_eq!(is_cut(name, head), cut, "{name} of {head}");
        }
    }

    #[test]
    fn the_word_before_names_is_their_noun() {
        let noun =
            |labels: &[&str]| noun(&labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>());
        assert_eq!(noun(&["Thread 5", "Thread 6"]).as_deref(), Some("threads"));
        assert_eq!(noun(&["Chain INPUT"]).as_deref(), Some("chain"));
        assert_eq!(noun(&["Thread 5", "Frame 6"]), None);
        assert_eq!(noun(&["Invalid write of size 4", "Invalid read of size 4"]), None);
        assert_eq!(noun(&["lo", "eth0"]), None);
    }
}
