//! Logs browsers in: a code that works once, then a session.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;

/// How long a code is valid.
const CODE_LIFE: Duration = Duration::from_secs(120);
/// How long an unused session lasts.
const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Maximum number of codes, and of sessions. The oldest is dropped first.
const MAX: usize = 16;
/// Bytes of a code and of a session's name.
const RANDOM_BYTES: usize = 32;

/// Stores hashes only, so that the duration of a comparison discloses nothing.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    codes: VecDeque<(Hash, Instant)>,
    sessions: VecDeque<(Hash, Instant)>,
}

type Hash = [u8; 32];

fn hash(name: &[u8]) -> Hash {
    *blake3::hash(name).as_bytes()
}

impl Sessions {
    /// Creates a code; `None` if the system has no randomness.
    pub(super) fn code(&mut self, now: Instant) -> Option<String> {
        let code = random()?;
        push(&mut self.codes, hash(code.as_bytes()), now);
        Some(code)
    }

    /// Exchanges a code, which is then used up, for a session.
    pub(super) fn open(&mut self, code: &[u8], now: Instant) -> Option<String> {
        let code = hash(code);
        self.codes.retain(|(_, made)| now.saturating_duration_since(*made) < CODE_LIFE);
        let at = self.codes.iter().position(|(known, _)| *known == code)?;
        self.codes.remove(at);
        let session = random()?;
        push(&mut self.sessions, hash(session.as_bytes()), now);
        Some(session)
    }

    /// Whether a session has this name; if so, extends it.
    pub(super) fn knows(&mut self, session: &[u8], now: Instant) -> bool {
        self.sessions.retain(|(_, used)| now.saturating_duration_since(*used) < SESSION_LIFE);
        let session = hash(session);
        let known = self.sessions.iter_mut().find(|(known, _)| *known == session);
        known.map(|(_, used)| *used = now).is_some()
    }
}

fn push(names: &mut VecDeque<(Hash, Instant)>, name: Hash, now: Instant) {
    if names.len() == MAX {
        names.pop_front();
    }
    names.push_back((name, now));
}

fn random() -> Option<String> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(HEXLOWER.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_not_for_long() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let code = sessions.code(now).unwrap();
        assert!(!sessions.knows(code.as_bytes(), now), "a code is no session");
        let session = sessions.open(code.as_bytes(), now).unwrap();
        assert_ne!(session, code);
        assert!(sessions.knows(session.as_bytes(), now));
        assert_eq!(sessions.open(code.as_bytes(), now), None, "used up");
        assert_eq!(sessions.open(b"", now), None);
        let late = sessions.code(now).unwrap();
        assert_eq!(sessions.open(late.as_bytes(), now + CODE_LIFE), None);
    }

    #[test]
    fn sessions_end_when_nobody_uses_them_and_make_room() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let open = |sessions: &mut Sessions| {
            let code = sessions.code(now).unwrap();
            sessions.open(code.as_bytes(), now).unwrap()
        };
        let first = open(&mut sessions);
        let almost = now + SESSION_LIFE - Duration::from_secs(1);
        assert!(sessions.knows(first.as_bytes(), almost));
        assert!(sessions.knows(first.as_bytes(), almost + Duration::from_secs(60)), "use prolongs it");
        assert!(!sessions.knows(first.as_bytes(), now + 3 * SESSION_LIFE));
        let first = open(&mut sessions);
        (0..MAX).for_each(|_| drop(open(&mut sessions)));
        assert!(!sessions.knows(first.as_bytes(), now));
        assert_eq!(sessions.sessions.len(), MAX);
    }
}
