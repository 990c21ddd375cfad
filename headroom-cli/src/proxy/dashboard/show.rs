use serde_json::{Value, json};

use super::{Board, Request};

impl Board {
    /// The page's data about this process.
    pub(in crate::proxy) fn to_json(&self) -> Value {
        let seen = self.seen();
        json!({
            "since": self.since,
            "content": self.content,
            "count": seen.count,
            "tools": seen.tools.to_json(),
            "projects": seen.projects.to_json(),
            "requests": seen.requests.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn row(request: &Request) -> Value {
    let Request { id, entry, project, duration, why, detail } = request;
    json!({
        "id": id,
        "at": entry.at,
        "milliseconds": u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        "provider": entry.provider,
        "model": entry.model,
        "project": project,
        "status": entry.status,
        "outcome": entry.outcome,
        "why": why,
        "calls": entry.calls,
        "tokens_before": entry.tokens_before,
        "tokens_after": entry.tokens_after,
        "saved_new": entry.saved_new,
        "saved_cached": entry.saved_cached,
        "paid": entry.paid().map(|(paid, _)| paid),
        "saved": entry.saved(),
        "usage": entry.usage,
        "epochs": entry.epochs.len(),
        "epoch": entry.epochs.last().filter(|_| entry.epoch_begins),
        "detail": detail.is_some(),
    })
}
