//! The ledger's files: one per day, with one entry per line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use time::OffsetDateTime;

use super::{Conversations, Entry};
use crate::secret::make_private;

/// The ledger's folder in the user's folder.
pub(super) const FOLDER: &str = "ledger";
/// Maximum size of one day, about a hundred thousand turns. Further entries are dropped.
const MAX_DAY: u64 = 32 << 20;
/// Maximum size of all days. The oldest are deleted first.
const MAX_ALL: u64 = 256 << 20;
/// Maximum number of queued entries. Further ones are dropped: requests never wait for the disk.
const MAX_WAITING: usize = 4096;
/// Entries per write.
const MAX_BATCH: usize = 256;

/// Writes entries on a thread of its own. Several processes may do so at once.
///
/// Each entry is appended by one call, so lines of several processes do not mix, and written entries survive when the
/// process is killed. A line that a loss of power cut short is skipped when the ledger is read.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    sender: SyncSender<Message>,
}

enum Message {
    Entry(Box<Entry>),
    /// Replies once everything before this is written.
    Flush(SyncSender<()>),
}

impl Ledger {
    /// A ledger in the user's folder. Nothing is created until the first entry.
    pub(crate) fn in_folder(home: &Path) -> Self {
        let (sender, messages) = sync_channel(MAX_WAITING);
        let mut writer = Writer { folder: home.join(FOLDER), failing: false };
        thread::spawn(move || writer.run(&messages));
        Self { sender }
    }

    /// Queues an entry. Never waits.
    pub(crate) fn add(&self, entry: Entry) {
        let _ = self.sender.try_send(Message::Entry(Box::new(entry)));
    }

    /// Waits until everything is written, up to this limit.
    pub(crate) fn flush(&self, patience: Duration) {
        let (done, written) = sync_channel(1);
        if self.sender.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(patience);
        }
    }
}

struct Writer {
    folder: PathBuf,
    /// Whether the last attempt failed, so that a full disk is reported once.
    failing: bool,
}

impl Writer {
    fn run(&mut self, messages: &Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let (mut entries, mut flushed) = (Vec::new(), Vec::new());
            let more = std::iter::from_fn(|| messages.try_recv().ok()).take(MAX_BATCH);
            for message in std::iter::once(first).chain(more) {
                match message {
                    Message::Entry(entry) => entries.push(*entry),
                    Message::Flush(done) => flushed.push(done),
                }
            }
            for of_day in entries.chunk_by(|a, b| day(a.at) == day(b.at)) {
                match self.write(of_day) {
                    Ok(()) => self.failing = false,
                    Err(error) if !self.failing => {
                        tracing::warn!("cannot write the ledger in {}: {error}", self.folder.display());
                        self.failing = true;
                    }
                    Err(_) => {}
                }
            }
            for done in flushed {
                let _ = done.try_send(());
            }
        }
    }

    /// Appends entries of one day.
    fn write(&self, entries: &[Entry]) -> io::Result<()> {
        let Some(first) = entries.first() else { return Ok(()) };
        make_private(&self.folder)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(self.folder.join(format!("{}.jsonl", day(first.at))))?;
        let length = file.metadata()?.len();
        if length >= MAX_DAY {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the day's file is full"));
        }
        if length == 0 {
            drop_oldest(&self.folder)?;
        }
        let mut lines = Vec::new();
        // The rest of a cut line must not spoil the next one.
        if length > 0 && !ends_a_line(&mut file)? {
            lines.push(b'\n');
        }
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        file.write_all(&lines)
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Deletes the oldest days to make room for another.
fn drop_oldest(folder: &Path) -> io::Result<()> {
    let days = days(folder)?;
    let mut room = MAX_ALL - MAX_DAY;
    for (_, path) in days.iter().rev() {
        // Another process may have deleted it.
        let length = fs::metadata(path).map_or(0, |file| file.len());
        match room.checked_sub(length) {
            Some(left) => room = left,
            None => {
                room = 0;
                let _ = fs::remove_file(path);
            }
        }
    }
    Ok(())
}

/// Lists the days, oldest first.
pub(super) fn days(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(day) = name.and_then(|name| name.strip_suffix(".jsonl")) {
            days.push((day.to_owned(), path.clone()));
        }
    }
    days.sort();
    Ok(days)
}

/// The UTC day of a time: `2026-11-24`.
pub(crate) fn day(at: u64) -> String {
    let moment = i64::try_from(at).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    moment.unwrap_or(OffsetDateTime::UNIX_EPOCH).date().to_string()
}

/// Reads the entries from this day on, oldest day first. Returns the number of unreadable lines.
pub(crate) fn read(home: &Path, since: &str, mut see: impl FnMut(&str, Entry)) -> io::Result<u64> {
    let mut unread = 0;
    let mut conversations = Conversations::default();
    let days = match days(&home.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        days => days?,
    };
    for (day, path) in days.iter().filter(|(day, _)| day.as_str() >= since) {
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            match serde_json::from_slice::<Entry>(&line) {
                Ok(mut entry) => {
                    conversations.follow(&mut entry);
                    see(day, entry);
                }
                Err(_) => unread += u64::from(!line.trim_ascii().is_empty()),
            }
            line.clear();
        }
    }
    Ok(unread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64) -> Entry {
        let json = format!(
            r#"{{"at":{at},"provider":"openai","status":200,"outcome":"passed","calls":1,"tokens_before":1,
                "tokens_after":1,"saved_new":0,"saved_cached":0}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn all(home: &Path, since: &str) -> (Vec<u64>, u64) {
        let mut seen = Vec::new();
        let unread = read(home, since, |_, entry| seen.push(entry.at)).unwrap();
        (seen, unread)
    }

    const NOON: u64 = 1_764_072_000; // 2025-11-25T12:00:00Z
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn entries_of_several_writers_stay_whole_and_in_their_day() {
        let home = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for writer in 0..4 {
                let home = home.path();
                scope.spawn(move || {
                    let ledger = Ledger::in_folder(home);
                    for n in 0..250 {
                        ledger.add(entry(NOON + writer * 1000 + n));
                    }
                    ledger.add(entry(NOON + 86400));
                    ledger.flush(PATIENCE);
                });
            }
        });
        let (seen, unread) = all(home.path(), "");
        assert_eq!((seen.len(), unread), (4 * 251, 0));
        assert_eq!(all(home.path(), "2025-11-26").0, [NOON + 86400; 4]);
        assert_eq!(day(NOON), "2025-11-25");
    }

    #[test]
    fn half_a_line_costs_no_other() {
        let home = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(home.path());
        ledger.add(entry(NOON));
        ledger.flush(PATIENCE);
        let file = home.path().join(FOLDER).join("2025-11-25.jsonl");
        let mut text = fs::read(&file).unwrap();
        text.extend(&text.clone()[..20]);
        fs::write(&file, text).unwrap();
        ledger.add(entry(NOON + 1));
        ledger.flush(PATIENCE);
        assert_eq!(all(home.path(), ""), (vec![NOON, NOON + 1], 1));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&home.path().join(FOLDER)), mode(&file)), (0o700, 0o600));
        }
    }

    #[test]
    fn the_oldest_days_make_room_and_a_full_day_takes_no_more() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(FOLDER);
        make_private(&folder).unwrap();
        let sized = |day: &str, bytes| {
            File::create(folder.join(format!("{day}.jsonl"))).unwrap().set_len(bytes).unwrap();
        };
        sized("2025-11-01", 1 << 20);
        sized("2025-11-02", 200 << 20);
        sized("2025-11-03", 24 << 20);
        let writer = Writer { folder: folder.clone(), failing: false };
        writer.write(&[entry(NOON)]).unwrap();
        let left: Vec<_> = days(&folder).unwrap().into_iter().map(|(day, _)| day).collect();
        assert_eq!(left, ["2025-11-02", "2025-11-03", "2025-11-25"]);
        sized("2025-11-25", MAX_DAY);
        assert!(writer.write(&[entry(NOON)]).is_err());
    }

    #[test]
    fn no_ledger_is_an_empty_one() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(all(home.path(), ""), (vec![], 0));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
