//! The body of a request.

use std::ops::Range;

use headroom_json::{Member, Value, ValueEnds};

/// The members of a request's body, found in one pass.
#[derive(Debug)]
pub(crate) struct Root<'a> {
    members: Vec<Member<'a>>,
    /// The items of the list named in [`parse`](Root::parse).
    pub(crate) items: Vec<Value<'a>>,
}

impl<'a> Root<'a> {
    /// Parses a body whose conversation is in the member `list`.
    pub(crate) fn parse(body: &'a str, list: &str) -> Option<Self> {
        Some(Self::of(Value::open(body)?, list))
    }

    /// Parses a body that is walked more than once. The ends must be those of this body.
    pub(crate) fn parse_with(body: &'a str, ends: &'a ValueEnds, list: &str) -> Option<Self> {
        Some(Self::of(Value::open_with(body, ends)?, list))
    }

    fn of(body: Value<'a>, list: &str) -> Self {
        let (members, items) = body.members_with_items(list);
        Self { members, items }
    }

    /// Returns a member; `None` also for a duplicate key, since parsers disagree about its value.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        let mut found = self.members.iter().filter(|member| member.key.is(key));
        let first = found.next()?;
        found.next().is_none().then_some(first.value)
    }

    pub(crate) fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Returns the range of a member, including its comma.
    pub(super) fn span(&self, key: &str) -> Option<Range<usize>> {
        self.get(key)?;
        let at = self.members.iter().position(|member| member.key.is(key))?;
        let member = self.members.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.members.get(before));
        Some(match (before, self.members.get(at + 1)) {
            (_, Some(next)) => member.key.start()..next.key.start(),
            (Some(before), None) => before.value.end()..member.value.end(),
            (None, None) => member.key.start()..member.value.end(),
        })
    }
}
