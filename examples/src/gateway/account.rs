//! What tenants have used.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Tenant;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The accounts of all tenants. They outlive changes of the settings.
#[derive(Clone, Debug, Default)]
pub struct Accounts(Arc<Mutex<HashMap<String, Arc<Account>>>>);

impl Accounts {
    /// The account of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &str) -> Arc<Account> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(tenant) {
            return Arc::clone(account);
        }
        let account = Arc::new(Account { name: tenant.to_owned(), used: Mutex::default() });
        accounts.insert(tenant.to_owned(), Arc::clone(&account));
        account
    }
}

/// What one tenant has used.
#[derive(Debug)]
pub struct Account {
    name: String,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// Requests that are answered now.
    open: u32,
    /// Requests of the last minute: a bucket that leaks.
    requests: f64,
    leaked: Option<Instant>,
    /// Tokens since the day began.
    tokens: u64,
    day: Option<Instant>,
}

/// Why a request has to wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    reason: String,
    /// When it may be accepted.
    pub retry_after: Duration,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; try again in {} s", self.reason, self.seconds())
    }
}

impl Refusal {
    /// The value of `retry-after`.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.retry_after.as_secs_f64().ceil().max(1.0) as u64
    }
}

/// A request that was let in, until it is dropped.
#[derive(Debug)]
pub struct Place(Arc<Account>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut used = self.0.used();
        used.open = used.open.saturating_sub(1);
    }
}

impl Account {
    /// The name of the tenant.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets a request in if the tenant may send one more.
    ///
    /// # Errors
    ///
    /// If one of the tenant's limits is reached.
    pub fn admit(self: &Arc<Self>, tenant: &Tenant, now: Instant) -> Result<Place, Refusal> {
        let mut used = self.used();
        used.pass(now, tenant);
        let refused = |reason: String, retry_after| Err(Refusal { reason, retry_after });
        if let Some(tokens) = tenant.tokens_per_day.filter(|tokens| used.tokens >= *tokens) {
            let rest = used.day.map_or(DAY, |day| DAY.saturating_sub(now.saturating_duration_since(day)));
            return refused(format!("tenant {} has used its {tokens} tokens of this day", self.name), rest);
        }
        if let Some(open) = tenant.concurrent.filter(|open| used.open >= *open) {
            let reason = format!("tenant {} has {open} requests open, the most that it may", self.name);
            return refused(reason, Duration::from_secs(1));
        }
        if let Some(most) = tenant.requests_per_minute {
            let over = used.requests + 1.0 - f64::from(most);
            if over > 0.0 {
                let wait = Duration::from_secs_f64(over * 60.0 / f64::from(most.max(1)));
                return refused(format!("tenant {} may send {most} requests a minute", self.name), wait);
            }
            used.requests += 1.0;
        }
        used.open += 1;
        Ok(Place(Arc::clone(self)))
    }

    /// Adds the tokens of an answer.
    pub fn charge(&self, tokens: u64) {
        let mut used = self.used();
        used.tokens = used.tokens.saturating_add(tokens);
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    /// Forgets what is over by now.
    fn pass(&mut self, now: Instant, tenant: &Tenant) {
        let since = now.saturating_duration_since(self.leaked.unwrap_or(now));
        self.leaked = Some(now);
        let leak = since.as_secs_f64() * f64::from(tenant.requests_per_minute.unwrap_or(0)) / 60.0;
        self.requests = (self.requests - leak).max(0.0);
        let began = self.day.get_or_insert(now);
        if now.saturating_duration_since(*began) >= DAY {
            (self.day, self.tokens) = (Some(now), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(change: impl FnOnce(&mut Tenant)) -> Tenant {
        let mut tenant = Tenant::default();
        change(&mut tenant);
        tenant
    }

    #[test]
    fn requests_come_back_over_the_minute() {
        let (account, start) = (Accounts::default().of("a"), Instant::now());
        let tenant = tenant(|tenant| tenant.requests_per_minute = Some(2));
        let admit = |seconds| account.admit(&tenant, start + Duration::from_secs(seconds)).map(drop);
        assert_eq!((admit(0), admit(0)), (Ok(()), Ok(())));
        let refusal = admit(0).unwrap_err();
        assert_eq!(refusal.to_string(), "tenant a may send 2 requests a minute; try again in 30 s");
        assert!(admit(29).is_err());
        assert_eq!(admit(30), Ok(()));
        assert!(admit(30).is_err());
    }

    #[test]
    fn tokens_come_back_with_the_next_day() {
        let (account, start) = (Accounts::default().of("a"), Instant::now());
        let tenant = tenant(|tenant| tenant.tokens_per_day = Some(100));
        let admit = |seconds| account.admit(&tenant, start + Duration::from_secs(seconds)).map(drop);
        assert_eq!(admit(0), Ok(()));
        account.charge(99);
        assert_eq!(admit(1), Ok(()));
        account.charge(1);
        assert_eq!(admit(60).unwrap_err().seconds(), 24 * 60 * 60 - 60);
        assert_eq!(admit(24 * 60 * 60), Ok(()));
    }

    #[test]
    fn a_place_is_free_again_when_its_answer_ends() {
        let (account, now) = (Accounts::default().of("a"), Instant::now());
        let one = tenant(|tenant| tenant.concurrent = Some(1));
        let place = account.admit(&one, now).unwrap();
        assert!(account.admit(&one, now).is_err());
        let two = tenant(|tenant| tenant.concurrent = Some(2));
        let second = account.admit(&two, now).unwrap();
        drop((place, second));
        assert!(account.admit(&one, now).is_ok());
    }
}
