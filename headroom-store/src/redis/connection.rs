//! A connection that restores itself.

use std::{fmt, sync::OnceLock, time::Duration};

use redis::{
    Client, FromRedisValue, Pipeline, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::StoreError;

pub(super) struct Connection {
    client: Client,
    timeout: Duration,
    /// Created inside the runtime that it needs.
    manager: OnceLock<ConnectionManager>,
}

impl Connection {
    pub(super) fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout, manager: OnceLock::new() }
    }

    /// Sends the commands together and waits for their answers for a limited time.
    pub(super) async fn ask<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        let attempt = || async {
            let mut manager = self.manager()?;
            commands.query_async(&mut manager).await
        };
        let answer = async {
            match attempt().await {
                // A restarted server ends our connection, and the next one may work. Every command here can safely be
                // sent twice.
                Err(error) if error.is_unrecoverable_error() || error.is_io_error() => attempt().await,
                answer => answer,
            }
        };
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(|error| StoreError::unavailable(ServerError::from(error))),
            Err(_) => Err(StoreError::unavailable(ServerError::Late)),
        }
    }

    fn manager(&self) -> Result<ConnectionManager, RedisError> {
        if let Some(manager) = self.manager.get() {
            return Ok(manager.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(self.manager.get_or_init(|| manager).clone())
    }
}

/// Why the server failed. The client's messages are not passed on, since they may quote an answer.
#[derive(Debug)]
pub(super) enum ServerError {
    Url,
    Encoding,
    Late,
    Unreachable,
    /// The first word of the answer, such as `OOM` or `NOAUTH`.
    Refused(String),
    Answer,
}

impl From<RedisError> for ServerError {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() {
            return Self::Late;
        }
        if error.is_io_error() || error.is_connection_dropped() {
            return Self::Unreachable;
        }
        let code = error.code().map(str::to_owned);
        let of_command = || Some(error.into_server_errors()?.first()?.1.code().to_owned());
        code.or_else(of_command).map_or(Self::Answer, Self::Refused)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("not the URL of a server; expected one such as redis://127.0.0.1:6379"),
            Self::Encoding => f.write_str("the compression ended early"),
            Self::Late => f.write_str("the server gave no answer in time"),
            Self::Unreachable => f.write_str("the server cannot be reached"),
            Self::Refused(code) => write!(f, "the server refused: {code}"),
            Self::Answer => f.write_str("the server's answer makes no sense"),
        }
    }
}

impl std::error::Error for ServerError {}
