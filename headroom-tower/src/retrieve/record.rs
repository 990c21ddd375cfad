//! A hidden exchange as it is kept for the client's next request.

use headroom_store::json::{Value, quote};

/// What takes the place of the client's copy of an assistant's turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// List items, as they were received and sent.
    pub(super) items: String,
    /// What goes to the front of the item behind them.
    pub(super) prepend: String,
}

impl Record {
    pub(super) fn to_text(&self) -> String {
        format!("{{\"v\":1,\"items\":{},\"prepend\":{}}}", quote(&self.items), quote(&self.prepend))
    }

    /// Reads what [`to_text`](Self::to_text) wrote. A record of another version is as good as none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let record = Value::parse(text)?;
        if record.get("v")?.count() != Some(1) {
            return None;
        }
        let member = |key: &str| Some(record.get(key)?.text()?.into_owned());
        Some(Self { items: member("items")?, prepend: member("prepend")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_round_trip() {
        let record = Record { items: "{\"a\":\"\\n\"},{}".to_owned(), prepend: String::new() };
        assert_eq!(Record::parse(&record.to_text()), Some(record));
        assert_eq!(Record::parse("{\"v\":2,\"items\":\"\",\"prepend\":\"\"}"), None);
        assert_eq!(Record::parse("x"), None);
    }
}
