//! A hidden exchange as it is kept for the client's next request.

use headroom_store::json::{Value, quote};

/// What takes the place of the client's copy of an assistant's turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// List items, as they were received and sent.
    pub(super) items: String,
    /// What goes to the front of the item behind them.
    pub(super) prepend: String,
    /// The ids of the client's calls in it. A copy that has others is not the one that was kept.
    pub(super) ids: Vec<String>,
}

impl Record {
    pub(super) fn to_text(&self) -> String {
        let ids: Vec<_> = self.ids.iter().map(|id| quote(id)).collect();
        format!(
            "{{\"v\":2,\"items\":{},\"prepend\":{},\"ids\":[{}]}}",
            quote(&self.items),
            quote(&self.prepend),
            ids.join(",")
        )
    }

    /// Whether it was kept of an answer with these calls.
    pub(super) fn is_of(&self, ids: &[String]) -> bool {
        let sorted = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        sorted(&self.ids) == sorted(ids)
    }

    /// Reads what [`to_text`](Self::to_text) wrote. A record of another version is as good as none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let record = Value::parse(text)?;
        if record.get("v")?.count() != Some(2) {
            return None;
        }
        let member = |key: &str| Some(record.get(key)?.text()?.into_owned());
        let ids = record.get("ids")?.items().filter_map(|id| Some(id.text()?.into_owned())).collect();
        Some(Self { items: member("items")?, prepend: member("prepend")?, ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_round_trip() {
        let ids = vec!["a".to_owned(), "\"b".to_owned()];
        let record = Record { items: "{\"a\":\"\\n\"},{}".to_owned(), prepend: String::new(), ids };
        assert_eq!(Record::parse(&record.to_text()), Some(record));
        assert_eq!(Record::parse("{\"v\":1,\"items\":\"\",\"prepend\":\"\",\"ids\":[]}"), None);
        assert_eq!(Record::parse("x"), None);
    }
}
