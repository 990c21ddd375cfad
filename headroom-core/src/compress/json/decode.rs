//! Reads renderings back. Shares no code with what writes them.

/// The compact JSON of a rendering; the values of a stream with line ends between them.
pub(super) fn decode(rendering: &str) -> Result<String, String> {
    let mut reader = Reader { rest: rendering, out: String::new() };
    let digits = rendering.len() - rendering.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && rendering[digits..].starts_with(" JSON values") {
        let rows = reader.table(" JSON values", true)?;
        return Ok(rows.join("\n"));
    }
    loop {
        reader.value()?;
        if reader.rest.is_empty() {
            return Ok(reader.out);
        }
        reader.take("\n")?;
        reader.out.push('\n');
    }
}

/// The same text without the white space between JSON tokens; the text must be JSON.
pub(super) fn minify(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\n' | '\r' | '\t' => {}
            '"' => {
                out.push('"');
                loop {
                    let c = chars.next().unwrap();
                    out.push(c);
                    match c {
                        '\\' => out.push(chars.next().unwrap()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            _ => out.push(c),
        }
    }
    out
}

struct Reader<'a> {
    rest: &'a str,
    out: String,
}

#[derive(Clone)]
struct Column {
    steps: Vec<Step>,
    constant: Option<String>,
}

#[derive(Clone, PartialEq)]
enum Step {
    Key(String),
    Element,
}

impl<'a> Reader<'a> {
    fn take(&mut self, text: &str) -> Result<(), String> {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.ok_or_else(|| format!("{text:?} expected at {:.60?}", self.rest))?;
        Ok(())
    }

    fn accept(&mut self, text: &str) -> bool {
        self.take(text).is_ok()
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !test(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A value with tables in it, appended to `out`.
    fn value(&mut self) -> Result<(), String> {
        match self.rest.chars().next().ok_or("value expected")? {
            '[' => {
                let inner = &self.rest[1..];
                let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                if digits > 0 && inner[digits..].starts_with(" rows") {
                    self.take("[")?;
                    let rows = self.table(" rows", false)?;
                    self.take("]")?;
                    self.out.push_str(&format!("[{}]", rows.join(",")));
                    return Ok(());
                }
                self.list('[', ']', false)
            }
            '{' => self.list('{', '}', true),
            _ => {
                let scalar = self.scalar()?;
                self.out.push_str(&scalar);
                Ok(())
            }
        }
    }

    fn list(&mut self, open: char, close: char, keys: bool) -> Result<(), String> {
        self.rest = &self.rest[1..];
        self.out.push(open);
        let mut first = true;
        while !self.rest.starts_with(close) {
            if !first {
                self.take(",")?;
                self.out.push(',');
            }
            first = false;
            if keys {
                let key = self.scalar()?;
                self.take(":")?;
                self.out.push_str(&key);
                self.out.push(':');
            }
            self.value()?;
        }
        self.rest = &self.rest[1..];
        self.out.push(close);
        Ok(())
    }

    fn scalar(&mut self) -> Result<String, String> {
        if !self.rest.starts_with('"') {
            let word = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            return if word.is_empty() {
                Err(format!("scalar at {:.60?}", self.rest))
            } else {
                Ok(word.into())
            };
        }
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let (string, rest) = self.rest.split_at(at + 1);
                    self.rest = rest;
                    return Ok(string.into());
                }
                _ => {}
            }
        }
        Err("open string".into())
    }

    /// The rows of a table as compact JSON objects.
    fn table(&mut self, what: &str, last: bool) -> Result<Vec<String>, String> {
        let count: usize = self.take_while(|c| c.is_ascii_digit()).parse().unwrap();
        self.take(what)?;
        let constants = self.accept("; name=value: same in every row");
        let blanks = self.accept("; blank: no such key");
        self.take(": ")?;
        let mut delimiter = None;
        let mut columns = Vec::new();
        loop {
            columns.push(self.column()?);
            if self.accept("\n") || last && self.rest.is_empty() {
                break;
            }
            let mark = self.rest.chars().next().ok_or("header ends")?;
            if *delimiter.get_or_insert(mark) != mark {
                return Err(format!("delimiter expected at {:.60?}", self.rest));
            }
            self.rest = &self.rest[1..];
        }
        assert_eq!(constants, columns.iter().any(|column| column.constant.is_some()));
        let lines = columns.iter().any(|column| column.constant.is_none());
        let mut rows = Vec::new();
        let mut blank_seen = false;
        for n in 0..count {
            let mut cells: Vec<(Vec<Step>, String)> = Vec::new();
            let mut first = true;
            for column in &columns {
                if let Some(value) = &column.constant {
                    cells.push((column.steps.clone(), value.clone()));
                    continue;
                }
                if self.rest.starts_with('\n') || self.rest.is_empty() {
                    blank_seen = true;
                    continue;
                }
                if !first {
                    self.take(&delimiter.unwrap().to_string())?;
                }
                first = false;
                match self.cell(delimiter.as_slice())? {
                    Some(value) => cells.push((column.steps.clone(), value)),
                    None => blank_seen = true,
                }
            }
            if lines && !(last && n + 1 == count) {
                self.take("\n")?;
            }
            rows.push(object(&cells));
        }
        assert_eq!(blanks, blank_seen, "legend of blanks");
        Ok(rows)
    }

    fn column(&mut self) -> Result<Column, String> {
        let mut steps = Vec::new();
        loop {
            if self.accept("[0]") {
                steps.push(Step::Element);
            } else if self.rest.starts_with('"') {
                steps.push(Step::Key(self.scalar()?));
            } else {
                let key = self.take_while(|c| c.is_alphanumeric() || "_-$@/:+# ".contains(c));
                if key.is_empty() {
                    return Err(format!("column expected at {:.60?}", self.rest));
                }
                steps.push(Step::Key(format!("\"{key}\"")));
            }
            if !self.accept(".") && !self.rest.starts_with("[0]") {
                break;
            }
        }
        let mut constant = None;
        if self.accept("=") {
            constant = Some(self.cell(&['|', ',', '\t', ';'])?.ok_or("constant expected")?);
        }
        Ok(Column { steps, constant })
    }

    /// JSON as it stands, or a string without quotes; `None` for nothing.
    fn cell(&mut self, delimiters: &[char]) -> Result<Option<String>, String> {
        if self.rest.starts_with('"') {
            return self.scalar().map(Some);
        }
        if self.rest.starts_with(['[', '{']) {
            let mut inner = Reader { rest: self.rest, out: String::new() };
            inner.value()?;
            self.rest = inner.rest;
            return Ok(Some(inner.out));
        }
        let text = self.take_while(|c| c != '\n' && !delimiters.contains(&c));
        Ok(match text {
            "" => None,
            _ if is_scalar(text) => Some(text.into()),
            _ => Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        })
    }
}

/// Whether a text without quotes is a number, `true`, `false` or `null`.
fn is_scalar(text: &str) -> bool {
    let number = || {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && digits(fraction)
            && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
    };
    matches!(text, "true" | "false" | "null") || number()
}

enum Tree {
    Leaf(String),
    Object(Vec<(String, Tree)>),
    Array(Box<Tree>),
}

/// Builds an object from its leaves: neighbours with the same start of a path share objects and arrays.
fn object(cells: &[(Vec<Step>, String)]) -> String {
    let mut row = Tree::Object(Vec::new());
    for (steps, value) in cells {
        insert(&mut row, steps, value);
    }
    let mut out = String::new();
    write(&row, &mut out);
    out
}

fn insert(tree: &mut Tree, steps: &[Step], value: &str) {
    let Some((step, below)) = steps.split_first() else {
        *tree = Tree::Leaf(value.into());
        return;
    };
    match (tree, step) {
        (Tree::Array(inner), Step::Element) => insert(inner, below, value),
        (Tree::Object(members), Step::Key(key)) => {
            let shared =
                members.last().is_some_and(|(last, tree)| last == key && !matches!(tree, Tree::Leaf(_)));
            if !shared {
                let empty = match below.first() {
                    Some(Step::Element) => Tree::Array(Box::new(Tree::Object(Vec::new()))),
                    _ => Tree::Object(Vec::new()),
                };
                members.push((key.clone(), empty));
            }
            insert(&mut members.last_mut().unwrap().1, below, value);
        }
        _ => panic!("paths contradict each other"),
    }
}

fn write(tree: &Tree, out: &mut String) {
    match tree {
        Tree::Leaf(value) => out.push_str(value),
        Tree::Array(inner) => {
            out.push('[');
            write(inner, out);
            out.push(']');
        }
        Tree::Object(members) => {
            out.push('{');
            for (n, (key, value)) in members.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(key);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}
