//! A hidden exchange as stored for the client's next request.

use headroom_json::{Value, quote};

use super::Anchors;

/// The version of records that is written. Records of another version are ignored.
const VERSION: u64 = 3;

/// Replaces the client's copy of an assistant's turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// List items, as they were received and sent.
    pub(crate) items: String,
    /// Content to add at the front of the item after them.
    pub(crate) prepend: String,
    /// The client's view of the turn.
    pub(crate) shown: ShownTurn,
}

/// Hashes of a turn as the client saw it. A copy that differs belongs to another turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShownTurn {
    /// Text, and ids, names and arguments of calls.
    visible: String,
    /// The same without arguments.
    but_arguments: String,
    signatures: Vec<String>,
}

/// The result of comparing a client's copy of a turn with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// The copy is the turn that the client saw; thinking may be missing.
    Same,
    /// The same, except for the arguments of calls that are identified by their ids.
    OtherArguments,
    /// They belong to different turns.
    None,
}

impl ShownTurn {
    pub(crate) fn new(anchors: &Anchors) -> Self {
        Self {
            visible: anchors.visible(),
            but_arguments: anchors.visible_but_arguments(),
            signatures: anchors.signature_hashes(),
        }
    }

    fn fit(&self, copy: &Anchors) -> Fit {
        // Clients may remove thinking, but never add any or change its order.
        let mut shown = self.signatures.iter();
        if !copy.signature_hashes().iter().all(|own| shown.any(|signature| signature == own)) {
            return Fit::None;
        }
        if self.visible == copy.visible() {
            Fit::Same
        } else if copy.has_unique_ids() && self.but_arguments == copy.visible_but_arguments() {
            Fit::OtherArguments
        } else {
            Fit::None
        }
    }
}

impl Record {
    /// Compares the client's copy of a turn with the turn of this record.
    pub(crate) fn fit(&self, copy: &Anchors) -> Fit {
        self.shown.fit(copy)
    }

    pub(crate) fn to_text(&self) -> String {
        let ShownTurn { visible, but_arguments, signatures } = &self.shown;
        let signatures: Vec<_> = signatures.iter().map(|signature| quote(signature)).collect();
        format!(
            "{{\"v\":{VERSION},\"items\":{},\"prepend\":{},\"visible\":{},\"but_arguments\":{},\"signatures\":[{}]}}",
            quote(&self.items),
            quote(&self.prepend),
            quote(visible),
            quote(but_arguments),
            signatures.join(",")
        )
    }

    /// Parses the output of [`to_text`](Self::to_text).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let record = Value::parse(text)?;
        if record.get("v")?.count() != Some(VERSION) {
            return None;
        }
        let member = |key: &str| Some(record.get(key)?.text()?.into_owned());
        let signatures = record.get("signatures")?.items().filter_map(|own| Some(own.text()?.into_owned()));
        let shown = ShownTurn {
            visible: member("visible")?,
            but_arguments: member("but_arguments")?,
            signatures: signatures.collect(),
        };
        Some(Self { items: member("items")?, prepend: member("prepend")?, shown })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(id: &str, arguments: &str, signatures: &[&str]) -> Anchors {
        Anchors {
            ids: vec![id.to_owned()],
            signatures: signatures.iter().map(|&own| own.to_owned()).collect(),
            text: "Look.".to_owned(),
            calls: vec![("Bash".to_owned(), arguments.to_owned())],
            ..Anchors::default()
        }
    }

    fn record(of: &Anchors) -> Record {
        Record { items: "{\"a\":\"\\n\"},{}".to_owned(), prepend: String::new(), shown: ShownTurn::new(of) }
    }

    #[test]
    fn records_survive_the_round_trip() {
        let record = record(&turn("a", "{}", &["s", "t"]));
        assert_eq!(Record::parse(&record.to_text()), Some(record));
        assert_eq!(Record::parse("{\"v\":2,\"items\":\"\",\"prepend\":\"\",\"ids\":[]}"), None);
        assert_eq!(Record::parse("x"), None);
    }

    #[test]
    fn a_copy_fits_if_it_is_what_was_shown() {
        let record = record(&turn("call_1", "ls", &["s", "t"]));
        let fit =
            |id: &str, arguments: &str, signatures: &[&str]| record.fit(&turn(id, arguments, signatures));
        for signatures in [&["s", "t"][..], &["t"], &[]] {
            assert_eq!(fit("call_1", "ls", signatures), Fit::Same);
        }
        assert_eq!(fit("call_2", "ls", &["s", "t"]), Fit::None);
        assert_eq!(fit("call_1", "rm", &["s", "t"]), Fit::None);
        assert_eq!(fit("call_1", "ls", &["t", "s"]), Fit::None);
        assert_eq!(fit("call_1", "ls", &["s", "u"]), Fit::None);
        let other = Anchors { text: "Look!".to_owned(), ..turn("call_1", "ls", &[]) };
        assert_eq!(record.fit(&other), Fit::None);
    }

    #[test]
    fn other_arguments_fit_only_where_ids_are_unique() {
        let id = "toolu_01A09q90qw90lq917835lq9Z";
        let record = record(&turn(id, "cd /x && ls", &["s"]));
        assert_eq!(record.fit(&turn(id, "ls", &["s"])), Fit::OtherArguments);
        assert_eq!(record.fit(&turn(id, "ls", &["u"])), Fit::None);
    }
}
