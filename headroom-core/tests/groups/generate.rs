//! Generates groups of lines under heads, as programs print them.

use std::{fmt, ops::Range};

use proptest::{collection::vec, prelude::*, sample::select};

/// A line, and what it tells of.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// The group that it belongs to.
    pub(crate) owner: Option<usize>,
    pub(crate) is_head: bool,
    /// What the groups below it belong to, if it tells that.
    pub(crate) container: Option<String>,
}

/// A text of groups.
#[derive(Clone)]
pub(crate) struct Groups {
    pub(crate) lines: Vec<Line>,
    /// What the groups are called.
    pub(crate) ids: Vec<String>,
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} groups in\n{}", self.ids.len(), self.text())
    }
}

impl Groups {
    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    /// Drops the lines before this part of the text. Of a group that lost its head, nobody knows the name.
    pub(crate) fn from(&self, part: f64) -> Self {
        let at = (self.lines.len() as f64 * part) as usize;
        let mut lines = self.lines[at..].to_vec();
        let first = lines.iter().find_map(|line| line.owner);
        if let Some(first) =
            first.filter(|first| !lines.iter().any(|line| line.is_head && line.owner == Some(*first)))
        {
            lines.iter_mut().filter(|line| line.owner == Some(first)).for_each(|line| line.owner = None);
        }
        Self { lines, ..self.clone() }
    }

    /// Drops the lines behind this part of the text.
    pub(crate) fn until(&self, part: f64) -> Self {
        let at = (self.lines.len() as f64 * part) as usize;
        Self { lines: self.lines[..at].to_vec(), ..self.clone() }
    }

    /// Returns the lines that a line cannot be understood without: its head, and what that belongs to.
    pub(crate) fn needed(&self, line: &Line) -> impl Iterator<Item = usize> {
        let head = line
            .owner
            .and_then(|owner| self.lines.iter().position(|head| head.is_head && head.owner == Some(owner)));
        let above =
            head.and_then(|head| self.lines[..head].iter().rposition(|line| line.container.is_some()));
        head.into_iter().chain(above)
    }

    /// Whether lines that lost their head are among these.
    pub(crate) fn has_lost_heads(&self, lines: &Range<usize>) -> bool {
        self.lines[lines.clone()]
            .iter()
            .any(|line| line.owner.is_none() && line.container.is_none() && !line.text.is_empty())
    }
}

/// How groups are told from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// The lines below a head have this indentation.
    Indented(&'static str),
    /// An empty line stands between groups, and this before the lines below a head.
    Blocks(&'static str),
    /// Each line starts with its kind, and the kinds come in an order.
    Kinds,
}

/// How groups are called.
#[derive(Clone, Copy, Debug)]
enum Names {
    Words,
    Hosts,
    /// From this number on, by this step.
    Numbers(usize, usize),
    Handles,
}

impl Names {
    fn name(self, at: usize) -> String {
        const WORDS: [&str; 9] =
            ["harbor", "lantern", "quill", "meadow", "granite", "ember", "orchard", "tide", "willow"];
        let word = WORDS[at % WORDS.len()];
        match self {
            Self::Words => format!("{word}{}", at / WORDS.len() * 7 + 3),
            Self::Hosts => format!("{word}-{}.example.org", at / WORDS.len() + 10),
            Self::Numbers(first, step) => (first + at * step).to_string(),
            Self::Handles => format!("0x{:04X}", 0x10 + at * 3),
        }
    }
}

/// What a line below a head says: the same in all groups, one of a few, or its own.
#[derive(Clone, Copy, Debug)]
enum Value {
    Same,
    Few(usize),
    Own,
    /// The same but in one group, which is its number in percent.
    Stray(usize),
}

impl Value {
    fn of(self, group: usize, count: usize, line: usize) -> usize {
        match self {
            Self::Same => 40 + line,
            Self::Few(few) => (group * 7 + line) % few + 100,
            Self::Own => 1000 + (group * 7919 + line * 31) % 9000,
            Self::Stray(part) => {
                if group == part * count / 100 {
                    77
                } else {
                    12 + line
                }
            }
        }
    }
}

/// One kind of line below heads.
#[derive(Clone, Debug)]
struct Kind {
    template: &'static str,
    value: Value,
    /// It is in the groups whose number this divides.
    each: usize,
}

/// A style of a program.
#[derive(Clone, Debug)]
struct Style {
    layout: Layout,
    head: &'static str,
    names: Names,
    kinds: Vec<Kind>,
    count: usize,
    /// The groups below one container; zero without containers.
    contained: usize,
    has_preamble: bool,
    has_end: bool,
}

/// Heads: `@` is the name, `#` a number of the group.
const HEADS: [&str; 16] = [
    "Thread @ (LWP #):",
    "Chain @ (# references)",
    "@: flags=#<UP,RUNNING>  mtu 1500",
    "Handle @, DMI type 17, # bytes",
    "\"@\" prio=5 tid=0x# nid=0x#",
    "Host @ (10.0.#.#)",
    "Disk @: # GiB",
    "Frame @: # bytes on wire",
    "Package: @",
    "volume group @",
    "== @ ==",
    "@ #",
    "Session @ started with pid #",
    "[@]",
    "Job <@>, user <ada>, queue #",
    "* @",
];
/// Lines below heads: `#` is the value.
const LINES: [&str; 14] = [
    "state: s#",
    "errors #  dropped 0  overruns 0",
    "size = # kB",
    "#  0x00007f in wait_for_work () from /lib/libc.so.6",
    "at org.harbor.Quay.moor(Quay.java:#)",
    "inet 10.1.#.1  netmask 255.255.255.0",
    "Locator: DIMM_#",
    "- locked <0x#>",
    "Type: t#",
    "link/ether 02:00:00:00:#:01",
    "#/tcp   open   ssh",
    "used # of 65536",
    "owner=u# group=staff",
    "last seen 1# seconds ago",
];
const KINDS: [&str; 6] = ["VOLUME", "STATE", "TAGS", "MONITOR", "NETWORK", "PLACEMENT"];

fn kind() -> impl Strategy<Value = Kind> {
    let value = prop_oneof![
        2 => Just(Value::Same),
        2 => (2_usize..6).prop_map(Value::Few),
        2 => Just(Value::Own),
        1 => (10_usize..90).prop_map(Value::Stray),
    ];
    let each = prop_oneof![5 => Just(1_usize), 1 => 2_usize..5];
    (select(&LINES[..]), value, each).prop_map(|(template, value, each)| Kind { template, value, each })
}

fn style() -> impl Strategy<Value = Style> {
    let layout = select(
        &[
            Layout::Indented("  "),
            Layout::Indented("        "),
            Layout::Indented("\t"),
            Layout::Blocks(""),
            Layout::Blocks("    "),
            Layout::Kinds,
        ][..],
    );
    let names = prop_oneof![
        Just(Names::Words),
        Just(Names::Hosts),
        (1_usize..90, 1_usize..4).prop_map(|(first, step)| Names::Numbers(first, step)),
        Just(Names::Handles),
    ];
    let contained = prop_oneof![3 => Just(0_usize), 1 => 5_usize..20];
    let parts = (layout, select(&HEADS[..]), names, vec(kind(), 2..7), 4_usize..130, contained);
    (parts, any::<bool>(), any::<bool>()).prop_map(|(parts, has_preamble, has_end)| {
        let (layout, head, names, mut kinds, count, contained) = parts;
        let mut known = Vec::new();
        kinds.retain(|kind| {
            !known.contains(&kind.template) && {
                known.push(kind.template);
                true
            }
        });
        // At least one line is in every group.
        if let Some(first) = kinds.first_mut() {
            first.each = 1;
        }
        // Without indentation, the line above groups is a line like others.
        let contained = if matches!(layout, Layout::Indented(_)) { contained } else { 0 };
        Style { layout, head, names, kinds, count, contained, has_preamble, has_end }
    })
}

pub(crate) fn groups() -> impl Strategy<Value = Groups> {
    style().prop_map(|style| style.groups())
}

impl Style {
    fn groups(&self) -> Groups {
        let ids: Vec<String> = (0..self.count).map(|at| self.names.name(at)).collect();
        let mut lines = Vec::new();
        let outside =
            |text: &str| Line { text: text.to_owned(), owner: None, is_head: false, container: None };
        if self.has_preamble {
            lines.extend([outside("Report of the machine:"), outside("")]);
        }
        let inner = if self.contained > 0 { "  " } else { "" };
        for (at, id) in ids.iter().enumerate() {
            if self.contained > 0 && at % self.contained == 0 {
                let letter = char::from(b'A' + (at / self.contained % 26) as u8).to_string();
                lines.push(Line { container: Some(letter.clone()), ..outside(&format!("Unit {letter}:")) });
            }
            let line = |text: String| Line { text, owner: Some(at), is_head: false, container: None };
            let head = self.head.replace('@', id).replace('#', &(at * 3 + 2).to_string());
            let head = match self.layout {
                Layout::Kinds => format!("GROUP\t{id}\t{}", at * 3 + 2),
                _ => format!("{inner}{head}"),
            };
            lines.push(Line { is_head: true, ..line(head) });
            for (number, kind) in self.kinds.iter().enumerate().filter(|(_, kind)| at % kind.each == 0) {
                let value = kind.value.of(at, self.count, number).to_string();
                lines.push(line(match self.layout {
                    Layout::Indented(indent) | Layout::Blocks(indent) => {
                        format!("{inner}{indent}{}", kind.template.replace('#', &value))
                    }
                    Layout::Kinds => format!("{}\t{value}\tready", KINDS[number % KINDS.len()]),
                }));
            }
            if matches!(self.layout, Layout::Blocks(_)) {
                lines.push(line(String::new()));
            }
        }
        if self.has_end {
            lines.extend([outside(""), outside("Done.")]);
        }
        Groups { lines, ids }
    }
}
