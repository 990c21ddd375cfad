//! Debug forms without content: it is private, and belongs into no log.

use std::fmt::{Debug, Formatter, Result};

use crate::{
    command::{Command, Fetched, Input, Reply, StoreRecord, UpstreamRequest},
    exchange::RewrittenRequest,
    restore::{RequestLookup, Restore},
};

impl Debug for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Send(request) => f.debug_tuple("Send").field(request).finish(),
            Self::Read { limit } => f.debug_struct("Read").field("limit", limit).finish(),
            Self::Fetch(fetch) => f.debug_tuple("Fetch").field(fetch).finish(),
            Self::Store(record) => f.debug_tuple("Store").field(record).finish(),
            Self::Wait(pause) => f.debug_tuple("Wait").field(pause).finish(),
            Self::Respond(reply) => f.debug_tuple("Respond").field(reply).finish(),
            Self::Write(bytes) => f.debug_struct("Write").field("bytes", &bytes.len()).finish(),
            Self::Remember(refusal) => f.debug_tuple("Remember").field(refusal).finish(),
            Self::Report(report) => f.debug_tuple("Report").field(report).finish(),
            Self::Forward => f.write_str("Forward"),
            Self::Fail => f.write_str("Fail"),
            Self::Done => f.write_str("Done"),
        }
    }
}

impl Debug for Input {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Head(head) => f.debug_tuple("Head").field(head).finish(),
            Self::Data(bytes) => f.debug_struct("Data").field("bytes", &bytes.len()).finish(),
            Self::Fetched(fetched) => f.debug_tuple("Fetched").field(fetched).finish(),
            other => write!(f, "Input({})", other.as_str()),
        }
    }
}

impl Debug for Reply {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Received => f.write_str("Received"),
            Self::Kept => f.write_str("Kept"),
            Self::Stream => f.write_str("Stream"),
            Self::Document(body) => f.debug_struct("Document").field("bytes", &body.len()).finish(),
            Self::Unfinished(body) => f.debug_struct("Unfinished").field("bytes", &body.len()).finish(),
        }
    }
}

impl Debug for Fetched {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Content(content) => f.debug_struct("Content").field("bytes", &content.len()).finish(),
            Self::Missing => f.write_str("Missing"),
            Self::Failed => f.write_str("Failed"),
        }
    }
}

impl Debug for UpstreamRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("UpstreamRequest")
            .field("head", &self.head)
            .field("bytes", &self.body.len())
            .field("keeps_response", &self.keeps_response)
            .finish()
    }
}

impl Debug for StoreRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("StoreRecord").field("keys", &self.keys).field("bytes", &self.record.len()).finish()
    }
}

impl Debug for RewrittenRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("RewrittenRequest")
            .field("api", &self.api)
            .field("bytes", &self.rewritten.len())
            .field("serves", &self.serves)
            .finish_non_exhaustive()
    }
}

impl Debug for RequestLookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("RequestLookup")
            .field("api", &self.api)
            .field("turns", &self.turns.len())
            .field("serves", &self.serves)
            .finish_non_exhaustive()
    }
}

impl Debug for Restore {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Restore")
            .field("lookup", &self.lookup)
            .field("is_rejected", &self.is_rejected)
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn nothing_shows_content() {
        let secret = || Bytes::from_static(b"hunter2");
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            Command::Write(secret()),
            Command::Respond(Reply::Document(secret())),
            Input::Data(secret()),
            Input::Fetched(vec![Fetched::Content("hunter2".into())]),
            StoreRecord { tenant: "t".to_owned(), keys: Vec::new(), record: "hunter2".to_owned() },
        );
        assert!(!shown.contains("hunter") && shown.contains('7'), "{shown}");
    }
}
