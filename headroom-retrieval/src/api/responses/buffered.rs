//! Answers in one document.

use headroom_json::Value;

use super::{OWN, is_ours, round_of};
use crate::{
    api::{BufferedStitcher, Head, Round, array, kind, merge},
    edit::set,
};

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
pub(super) struct ResponsesBuffered {
    head: Head,
    shown: Vec<String>,
    /// The responses of earlier rounds without their output, and their usage.
    before: Vec<String>,
    usage_before: Vec<String>,
    last: String,
}

impl ResponsesBuffered {
    pub(super) fn new(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    /// Moves the last response to the earlier ones.
    fn shift(&mut self) {
        let Some(response) = Value::parse(&self.last) else { return };
        let items = response.get("output").into_iter().flat_map(Value::items);
        let items = items.filter(|item| !is_ours(*item));
        let items = items.filter(|item| !(self.head.structured && kind(*item) == "message"));
        self.shown.extend(items.map(|item| item.raw().to_owned()));
        self.before.push(set(response, &[("output", None)]));
        self.usage_before.extend(response.get("usage").map(|usage| usage.raw().to_owned()));
    }
}

impl BufferedStitcher for ResponsesBuffered {
    fn add(&mut self, body: &str) -> Option<Round> {
        let response = Value::parse(body)?;
        let output = response.get("output").filter(|output| output.is_array())?;
        let items: Vec<_> = output.items().map(|item| item.raw().to_owned()).collect();
        let completed = response.get("status").is_none_or(|status| status.is("completed"));
        let id = response.get("id").and_then(Value::text).map(|id| id.into_owned());
        let round = round_of(&items, completed, id, self.head);
        self.shift();
        self.last = body.to_owned();
        Some(round)
    }

    fn finish(&mut self, _: bool) -> Option<String> {
        let response = Value::parse(&self.last)?;
        let own = response.get("output")?.items().filter(|item| !is_ours(*item));
        let own = own.map(|item| item.raw().to_owned());
        let shown: Vec<_> = self.shown.iter().cloned().chain(own).collect();
        let carried = merge::carried(response, &self.before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("output", Some(array(&shown))));
        if let (Some(usage), false) =
            (response.get("usage").filter(|usage| usage.is_object()), self.usage_before.is_empty())
        {
            members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
        }
        Some(set(response, &members))
    }
}
