//! Reads credentials as AWS's tools do, without asking a server: from the environment, the files, or a program that the
//! files name. Sources that need a connection (SSO, roles, instance metadata) are left to that program.

use std::{
    collections::HashMap,
    env, fs, io,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use aws_credential_types::Credentials;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{process::Command, sync::Mutex, time::timeout};

use super::profile;
use crate::dirs::user_home;

/// How long a program's credentials are used before it runs again, if they are valid for so long.
const KEPT: Duration = Duration::from_secs(240);
/// How long before their end credentials are no longer used.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a program may take. Requests wait for it.
const PROGRAM_PATIENCE: Duration = Duration::from_secs(30);

/// Why there are no credentials. Contains no secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error(
        "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put a profile into \
         ~/.aws/credentials"
    )]
    Missing,
    #[error(
        "the AWS profile {profile} has no keys of its own (it uses {how}, which would need a server): \
         name a profile with `credential_process = aws configure export-credentials --profile {profile} --format \
         process` in AWS_PROFILE"
    )]
    Elsewhere { profile: String, how: &'static str },
    #[error("the AWS profile {profile} is in no file; AWS_PROFILE names it")]
    NoProfile { profile: String },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the credential_process of the AWS profile {profile} failed: {message}")]
    Process { profile: String, message: String },
}

/// The source of credentials.
#[derive(Clone, Debug, Default)]
pub(super) struct Source(Arc<Mutex<Option<KeptCredentials>>>);

/// The credentials of a program.
#[derive(Debug)]
struct KeptCredentials {
    until: Instant,
    credentials: Credentials,
}

/// What the files say.
enum Profile {
    Keys(Credentials),
    /// A program that prints credentials.
    Process {
        command: String,
        profile: String,
    },
}

impl Source {
    pub(super) async fn get(&self) -> Result<Credentials, CredentialsError> {
        if let Some(credentials) = from_environment() {
            return Ok(credentials);
        }
        // Locked, so that concurrent requests run the program once.
        let mut kept = self.0.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.credentials.clone());
        }
        let read = tokio::task::spawn_blocking(from_files).await;
        match read.unwrap_or(Err(CredentialsError::Missing))? {
            Profile::Keys(credentials) => Ok(credentials),
            Profile::Process { command, profile } => {
                let credentials = from_process(&command, &profile).await?;
                let until = Instant::now() + usable(credentials.expiry(), SystemTime::now());
                *kept = Some(KeptCredentials { until, credentials: credentials.clone() });
                Ok(credentials)
            }
        }
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn from_environment() -> Option<Credentials> {
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment"))
}

/// How long credentials with this end are kept.
fn usable(end: Option<SystemTime>, now: SystemTime) -> Duration {
    let left = end.map(|end| end.duration_since(now).unwrap_or_default().saturating_sub(MARGIN));
    left.map_or(KEPT, |left| left.min(KEPT))
}

fn from_files() -> Result<Profile, CredentialsError> {
    let named = variable("AWS_PROFILE");
    let profile = named.clone().unwrap_or_else(|| "default".to_owned());
    let settings = profile::read(
        &text("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
        &text("AWS_CONFIG_FILE", "config")?,
        &profile,
    );
    if settings.is_empty() {
        return Err(match named {
            Some(profile) => CredentialsError::NoProfile { profile },
            None => CredentialsError::Missing,
        });
    }
    let get = |key: &str| settings.get(key).filter(|value| !value.is_empty()).cloned();
    if let (Some(id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
        return Ok(Profile::Keys(Credentials::new(id, secret, get("aws_session_token"), None, "profile")));
    }
    match get("credential_process") {
        Some(command) => Ok(Profile::Process { command, profile }),
        None => Err(elsewhere(profile, &settings)),
    }
}

fn elsewhere(profile: String, settings: &HashMap<String, String>) -> CredentialsError {
    let ways = [
        ("sso_session", "SSO"),
        ("sso_start_url", "SSO"),
        ("role_arn", "a role"),
        ("login_session", "a login"),
    ];
    match ways.into_iter().find(|(key, _)| settings.contains_key(*key)) {
        Some((_, how)) => CredentialsError::Elsewhere { profile, how },
        None => CredentialsError::Missing,
    }
}

fn text(variable_name: &str, name: &str) -> Result<String, CredentialsError> {
    let own = || Some(user_home()?.join(".aws").join(name));
    let Some(path) = variable(variable_name).map(PathBuf::from).or_else(own) else {
        return Ok(String::new());
    };
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(CredentialsError::Read { path, source }),
        Ok(text) => Ok(text),
    }
}

/// The output of such a program.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessCredentials {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    /// In RFC 3339; none if they do not end.
    expiration: Option<String>,
}

async fn from_process(command: &str, profile: &str) -> Result<Credentials, CredentialsError> {
    let failed = |message: String| CredentialsError::Process { profile: profile.to_owned(), message };
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = timeout(PROGRAM_PATIENCE, output)
        .await
        .map_err(|_| failed(format!("it did not end within {} s", PROGRAM_PATIENCE.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    // The parser's message could contain what it parsed.
    let written: Option<ProcessCredentials> = serde_json::from_slice(&output.stdout).ok();
    let written = written.filter(|written| written.version == 1);
    let written = written
        .ok_or_else(|| failed("its output is not in the format of credentials, version 1".to_owned()))?;
    let ProcessCredentials { access_key_id, secret_access_key, session_token, expiration, .. } = written;
    let end = expiration.and_then(|end| OffsetDateTime::parse(&end, &Rfc3339).ok()).map(SystemTime::from);
    Ok(Credentials::new(access_key_id, secret_access_key, session_token, end, "process"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_kept_until_shortly_before_their_end() {
        let now = SystemTime::now();
        let kept = |seconds| usable(Some(now + Duration::from_secs(seconds)), now).as_secs();
        assert_eq!(usable(None, now), KEPT);
        assert_eq!([kept(3600), kept(300), kept(100), kept(30), kept(0)], [240, 240, 40, 0, 0]);
        assert_eq!(usable(Some(now - Duration::from_secs(5)), now), Duration::ZERO);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_programs_end_of_its_credentials_is_read() {
        let json =
            r#"{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"2026-12-01T09:00:00Z"}"#;
        let credentials = from_process(&format!("echo '{json}'"), "p").await.unwrap();
        let end = OffsetDateTime::from(credentials.expiry().unwrap());
        assert_eq!(end.unix_timestamp(), 1_796_115_600);
    }
}
