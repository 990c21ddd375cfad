//! Tells conversations apart by how they begin.

use headroom_core::Api;
use headroom_json::Value;

use crate::chain::{Chain, Link};

/// Returns a hash of the items, separated by commas, with which a conversation begins; `None` if there are none but
/// system prompts.
pub(crate) fn conversation(api: Api, items: &str) -> Option<u64> {
    let list = format!("[{items}]");
    let items = Value::parse(&list)?;
    let first: Vec<Value<'_>> = items.items().filter(|item| !is_systems(*item)).collect();
    (!first.is_empty()).then(|| {
        let Link(bytes) = Chain::new(api, &[], &first, &[]).end;
        bytes.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    })
}

fn is_systems(item: Value<'_>) -> bool {
    item.get("role").is_some_and(|role| role.is("system") || role.is("developer"))
}
