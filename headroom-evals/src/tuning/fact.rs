//! Looks for a fact in what is sent and in what can be retrieved.

use headroom_core::Original;

use crate::conformance::{forms, laws::as_drawn};

/// Whether a fact is there for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// In what is sent.
    Visible,
    /// In what can be retrieved.
    Aside,
    /// Nowhere.
    Lost,
}

/// A text to look for facts in: as it is, with escapes of JSON undone, and with each run of white space as one space.
struct FactText {
    plain: String,
    folded: String,
}

impl FactText {
    fn new(text: &str) -> Self {
        let mut plain = format!("{text}\n");
        plain.push_str(&text.replace("\\\\", "\\").replace("\\\"", "\""));
        let folded = fold(&entities(&plain));
        Self { plain, folded }
    }

    fn has(&self, fact: &str) -> bool {
        self.plain.contains(fact) || self.folded.contains(&fold(fact))
    }
}

/// Returns the fate of each fact.
pub(super) fn fates(facts: &[String], (before, after): (&str, &str), originals: &[Original]) -> Vec<Fate> {
    if facts.is_empty() {
        return Vec::new();
    }
    let shown = FactText::new(after);
    // Made only if something is not visible as it is.
    let (mut decoded, mut aside): (Option<FactText>, Option<Vec<FactText>>) = (None, None);
    let fate = |fact: &String| {
        let drawn = as_drawn(fact);
        // A member that is the same in every row stands above the rows.
        let constant = fact.trim_end_matches(',').replace("\": ", "=").replace('"', "");
        if [fact, &drawn, &constant].into_iter().any(|form| shown.has(form)) {
            return Fate::Visible;
        }
        let decoded = decoded.get_or_insert_with(|| FactText::new(&forms::decoded(before, after)));
        if decoded.has(fact) {
            return Fate::Visible;
        }
        let aside = aside.get_or_insert_with(|| {
            let drawn = |text: &str| text.split('\n').map(as_drawn).collect::<Vec<_>>().join("\n");
            let texts = originals.iter().map(|original| original.content());
            texts.flat_map(|text| [FactText::new(text), FactText::new(&drawn(text))]).collect()
        });
        let is_aside = aside.iter().any(|text| text.has(fact) || text.has(&drawn));
        if is_aside { Fate::Aside } else { Fate::Lost }
    };
    facts.iter().map(fate).collect()
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Decodes the entities that pages need for their own signs.
fn entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 6] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    ENTITIES.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
