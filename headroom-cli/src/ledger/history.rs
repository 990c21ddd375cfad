use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    Conversations, Entry, EpochAccount, EpochBook, HeadBook, LedgerTotals,
    file::{FOLDER, days},
};

/// Incremental sums of a ledger that other processes append to. Each entry is read once.
#[derive(Debug)]
pub(crate) struct History {
    folder: PathBuf,
    days: BTreeMap<String, Day>,
    conversations: Conversations,
    epochs: EpochBook,
    heads: HeadBook,
}

#[derive(Debug, Default)]
struct Day {
    /// Bytes of the whole lines that were read.
    read: u64,
    models: BTreeMap<String, LedgerTotals>,
}

impl History {
    /// The ledger in the user's folder. Nothing is read yet.
    pub(crate) fn in_folder(home: &Path) -> Self {
        Self::new(home.join(FOLDER))
    }

    fn new(folder: PathBuf) -> Self {
        let (conversations, epochs) = (Conversations::default(), EpochBook::default());
        Self { folder, days: BTreeMap::new(), conversations, epochs, heads: HeadBook::default() }
    }

    /// Reads new entries from this day on, and drops earlier days.
    pub(crate) fn update(&mut self, since: &str) -> io::Result<()> {
        let files = match days(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            files => files?,
        };
        self.days.retain(|day, _| day.as_str() >= since && files.iter().any(|(name, _)| name == day));
        for (day, path) in files.into_iter().filter(|(day, _)| day.as_str() >= since) {
            let of_day = self.days.entry(day).or_default();
            if fs::metadata(&path)?.len() < of_day.read {
                // The file was replaced, and nobody knows what of the rest came from it.
                *self = Self::new(std::mem::take(&mut self.folder));
                return self.update(since);
            }
            let (epochs, heads) = (&mut self.epochs, &mut self.heads);
            of_day.read_on(&path, &mut self.conversations, &mut |entry| {
                epochs.add(entry);
                heads.add(entry);
            })?;
        }
        Ok(())
    }

    /// All epochs that were read, oldest first; those of dropped days too.
    pub(crate) fn epochs(&self) -> Vec<&EpochAccount> {
        self.epochs.accounts()
    }

    /// What changed in heads; of dropped days too.
    pub(crate) const fn heads(&self) -> &HeadBook {
        &self.heads
    }

    /// The sums by day and model, oldest day first.
    pub(crate) fn sums(&self) -> impl Iterator<Item = (&str, &str, &LedgerTotals)> {
        self.days.iter().flat_map(|(day, of_day)| {
            of_day.models.iter().map(move |(model, sums)| (day.as_str(), model.as_str(), sums))
        })
    }
}

impl Day {
    fn read_on(
        &mut self,
        path: &Path,
        conversations: &mut Conversations,
        see: &mut dyn FnMut(&Entry),
    ) -> io::Result<()> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if length <= self.read {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        // A line that is still being written is read next time.
        while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            self.read += line.len() as u64;
            if let Ok(mut entry) = serde_json::from_slice::<Entry>(&line) {
                conversations.follow(&mut entry);
                see(&entry);
                let model = entry.model.as_deref().unwrap_or("unknown");
                match self.models.get_mut(model) {
                    Some(sums) => sums.add(&entry),
                    None => self.models.entry(model.to_owned()).or_default().add(&entry),
                }
            }
            line.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    const LINE: &str = r#"{"at":1764072000,"provider":"anthropic","model":"claude-opus-5-5","status":200,"outcome":"rewritten","calls":1,"tokens_before":3,"tokens_after":1,"saved_new":2,"saved_cached":0}"#;

    fn turns(history: &History) -> Vec<(String, u64)> {
        history.sums().map(|(day, _, sums)| (day.to_owned(), sums.turns)).collect()
    }

    #[test]
    fn what_is_written_later_is_read_once() {
        let home = tempfile::tempdir().unwrap();
        let mut history = History::in_folder(home.path());
        history.update("").unwrap();
        assert!(turns(&history).is_empty());
        let folder = home.path().join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("2025-11-25.jsonl");
        let mut file = File::options().create(true).append(true).open(&path).unwrap();
        let (half, rest) = LINE.split_at(40);
        write!(file, "{LINE}\nno entry\n{half}").unwrap();
        for _ in 0..2 {
            history.update("").unwrap();
            assert_eq!(turns(&history), [("2025-11-25".to_owned(), 1)]);
        }
        writeln!(file, "{rest}\n{LINE}").unwrap();
        history.update("").unwrap();
        assert_eq!(turns(&history), [("2025-11-25".to_owned(), 3)]);
        fs::write(&path, format!("{LINE}\n")).unwrap();
        history.update("").unwrap();
        assert_eq!(turns(&history), [("2025-11-25".to_owned(), 1)], "a file that was begun anew");
        history.update("2025-11-26").unwrap();
        assert!(turns(&history).is_empty());
    }
}
