//! A round from its blocks.

use headroom_json::Value;

use super::{
    history::{Block, anchors},
    is_ours,
};
use crate::{
    api::{Call, Round, array, kind},
    edit::Edits,
};

/// Builds a round from complete blocks.
pub(super) fn round_of(blocks: &[String], stop: &str) -> Round {
    let waits = stop == "tool_use";
    let mut round = Round::default();
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    for raw in blocks {
        let Some(block) = Value::parse(raw) else { continue };
        let empty = kind(block) == "text"
            && block.get("text").and_then(Value::text).is_some_and(|text| text.trim().is_empty());
        // Providers send empty text, but do not accept it.
        if empty {
            continue;
        }
        if is_ours(block) {
            said.push(raw.clone());
            if waits {
                let id = block.get("id").and_then(Value::text).unwrap_or_default().into_owned();
                let arguments = block.get("input").map_or("{}", Value::raw).to_owned();
                round.calls.push(Call { id, arguments });
            }
            continue;
        }
        round.others |= waits && kind(block) == "tool_use";
        said.push(raw.clone());
        rest.push(raw.clone());
        round.shown.extend(anchors([Block::Json(block)].into_iter()));
    }
    let message = |blocks: &[String]| {
        (!blocks.is_empty()).then(|| format!("{{\"role\":\"assistant\",\"content\":{}}}", array(blocks)))
    };
    round.said = message(&said);
    round.rest = message(&rest);
    round
}

/// Removes all mentions of these calls from the lists of an event.
pub(super) fn without(event: &str, ids: &[String]) -> String {
    fn is_of(item: Value<'_>, ids: &[String]) -> bool {
        let id = item.get("tool_use_id").or_else(|| item.get("id"));
        id.is_some_and(|id| ids.iter().any(|own| id.is(own)))
    }

    let Some(root) = Value::parse(event) else { return event.to_owned() };
    let mut edits = Edits::default();
    let objects = [Some(root), root.get("delta")].into_iter().flatten();
    let members = objects.flat_map(Value::members).filter(|member| !member.key.is("content"));
    let lists = members.map(|member| member.value).filter(|value| value.is_array());
    for list in lists.filter(|list| list.items().any(|item| is_of(item, ids))) {
        let kept: Vec<_> =
            list.items().filter(|item| !is_of(*item, ids)).map(|item| item.raw().to_owned()).collect();
        edits.value(list, array(&kept));
    }
    edits.apply(event).unwrap_or_else(|| event.to_owned())
}
