//! A file with the reasons why nothing was made smaller. It holds no content.

use std::{
    fs::{self, OpenOptions},
    io::Write,
};

use time::OffsetDateTime;

use crate::{dirs::state_home, secret};

/// A full file stays as it is: the first reasons tell most.
const MAX_BYTES: u64 = 256 << 10;

/// Appends a line, if possible.
pub(super) fn write(agent: &str, reason: &str) {
    let Some(folder) = state_home().map(|home| home.join("headroom")) else { return };
    let path = folder.join("hook.log");
    if fs::metadata(&path).is_ok_and(|file| file.len() > MAX_BYTES) || secret::make_private(&folder).is_err()
    {
        return;
    }
    let now = OffsetDateTime::now_utc();
    let (hour, minute, second) = now.to_hms();
    let line = format!(
        "{}T{hour:02}:{minute:02}:{second:02}Z {agent}: unchanged: {}\n",
        now.date(),
        reason.replace('\n', " ")
    );
    let _ = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
}
