//! The token that guards the proxy's own routes.

use std::{
    fs::{self, Metadata},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use headroom_axum::BearerToken as Token;
use tempfile::NamedTempFile;

/// The token's file in the user's folder.
const FILE: &str = "token";
/// Length of a new token, in random bytes.
const RANDOM_BYTES: usize = 32;
/// Maximum size of a token's file.
const MAX_BYTES: u64 = 64 << 10;

/// A token that the user can read, but no other user and no web page.
#[derive(Clone, Debug)]
pub(crate) struct Secret(Token);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{} {why}, so another user may have put a token there; run `chown` and `chmod go-w` on it, or set HEADROOM_HOME to another folder",
        path.display()
    )]
    Unsafe { path: PathBuf, why: Why },
    #[error("{} {why}; delete it and a new one is created", path.display())]
    UnsafeToken { path: PathBuf, why: Why },
    #[error("{} holds no token of 32 letters and digits or more; delete it and a new one is created", path.display())]
    Weak { path: PathBuf },
    #[error("{} {why}; run `chmod go-w` on it", path.display())]
    UnsafeFile { path: PathBuf, why: Why },
    #[error("{} holds no token of 32 letters and digits or more; `openssl rand -hex 32` prints one", path.display())]
    WeakFile { path: PathBuf },
}

/// What is wrong with the owner or the permissions of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("belongs to another user")]
    Foreign,
    #[error("can be written by other users")]
    Writable,
    #[error("is not a regular file")]
    Special,
}

impl Secret {
    /// Reads the folder's token. If there is none, creates one for all processes of the user.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, SecretError> {
        let path = folder.join(FILE);
        let failed = |source| SecretError::Io { path: path.clone(), source };
        let weak = || SecretError::Weak { path: path.clone() };
        let unsafe_folder = |why| SecretError::Unsafe { path: folder.to_owned(), why };
        check_folder(folder).map_err(failed)?.map_err(unsafe_folder)?;
        let text = match read(&path, false).map_err(failed)? {
            Some(text) => text.map_err(|why| SecretError::UnsafeToken { path: path.clone(), why })?,
            None => make(folder, &path)
                .map_err(failed)?
                .map_err(|why| SecretError::UnsafeToken { path: path.clone(), why })?,
        };
        Token::new(text.trim()).map(Self).map_err(|_| weak())
    }

    /// Reads the token of a file that the user named. It may belong to anyone, but others must not be able to write it.
    pub(crate) fn from_file(path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::Io { path: path.to_owned(), source };
        let text = read(path, true).map_err(failed)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let text = text.map_err(|why| SecretError::UnsafeFile { path: path.to_owned(), why })?;
        Token::new(text.trim()).map(Self).map_err(|_| SecretError::WeakFile { path: path.to_owned() })
    }

    /// The token of the configured file, else that of the user's folder; `None` if the user has none.
    pub(crate) fn configured(file: Option<&Path>, home: Option<&Path>) -> Result<Option<Self>, SecretError> {
        match file {
            Some(file) => Self::from_file(file).map(Some),
            None => home.map(Self::in_folder).transpose(),
        }
    }

    /// The token itself, to be sent to a proxy.
    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Compares a token in constant time.
    pub(crate) fn matches(&self, given: &[u8]) -> bool {
        self.0.matches(given)
    }
}

/// Ensures that nobody else can write a token into the folder. Removes the permissions of others from a folder of the
/// user's. A folder of another owner is left unchanged, and is used only if root keeps others out.
fn check_folder(folder: &Path) -> io::Result<Result<(), Why>> {
    let metadata = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(())),
        metadata => metadata?,
    };
    match check(&metadata) {
        #[cfg(unix)]
        Err(Why::Writable) if is_own(&metadata) => {
            use std::os::unix::fs::PermissionsExt;
            let mode = metadata.permissions().mode() & 0o755;
            fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
            Ok(Ok(()))
        }
        checked => Ok(checked),
    }
}

/// Whether only the user, or root, can have made this what it is.
fn check(metadata: &Metadata) -> Result<(), Why> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if !is_own(metadata) && metadata.uid() != 0 {
            return Err(Why::Foreign);
        }
    }
    if is_writable(metadata) { Err(Why::Writable) } else { Ok(()) }
}

/// Whether others may write.
fn is_writable(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o022 != 0;
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

#[cfg(unix)]
fn is_own(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

/// Reads the token's file; `None` if there is no file. It is made readable for the user alone, unless the user named it.
fn read(path: &Path, is_named: bool) -> io::Result<Option<Result<String, Why>>> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    // Opening a pipe waits for a writer.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    let mut file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Some(Err(Why::Special)));
    }
    match check(&metadata) {
        Err(Why::Foreign) if is_named && !is_writable(&metadata) => {}
        Err(why) => return Ok(Some(Err(why))),
        Ok(()) => {}
    }
    let mut text = String::new();
    Read::by_ref(&mut file).take(MAX_BYTES).read_to_string(&mut text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o077 != 0 && is_own(&metadata) && !is_named {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(Some(Ok(text)))
}

/// Writes a new token atomically, unless another process has created one meanwhile.
fn make(folder: &Path, path: &Path) -> io::Result<Result<String, Why>> {
    make_private(folder)?;
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let secret = HEXLOWER.encode(&bytes);
    // Readable for the user alone.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{secret}")?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(Ok(secret)),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            read(path, false)?.ok_or_else(|| io::ErrorKind::NotFound.into())
        }
        Err(error) => Err(error.error),
    }
}

/// Creates a folder that only the user can read.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_for_the_user_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("new");
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Secret::in_folder(&folder).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let first = secrets[0].reveal();
        assert_eq!(first.len(), 2 * RANDOM_BYTES);
        assert!(secrets.iter().all(|secret| secret.matches(first.as_bytes())));
        assert!(
            !Secret::in_folder(home.path()).unwrap().matches(first.as_bytes()),
            "each folder has its own"
        );
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
            fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
            Secret::in_folder(&folder).unwrap();
            assert_eq!(mode(&folder.join(FILE)), 0o600, "closed to others again");
        }
    }

    #[cfg(unix)]
    #[test]
    fn rights_of_others_to_the_folder_are_taken_and_a_token_that_they_could_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let home = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for (before, after) in [(0o777, 0o755), (0o770, 0o750), (0o2775, 0o755), (0o755, 0o755)] {
            set(home.path(), before);
            Secret::in_folder(home.path()).unwrap();
            assert_eq!(mode(home.path()), after, "{before:o}");
        }
        let token = home.path().join(FILE);
        for open in [0o666, 0o620, 0o602] {
            set(&token, open);
            let error = Secret::in_folder(home.path()).unwrap_err();
            assert!(matches!(error, SecretError::UnsafeToken { why: Why::Writable, .. }), "{open:o}");
            let text = error.to_string();
            assert!(text.contains("can be written by other users; delete it"), "{text}");
        }
        fs::remove_file(&token).unwrap();
        Secret::in_folder(home.path()).expect("a new one is made");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_or_token_of_another_user_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let token = home.path().join(FILE);
        Secret::in_folder(home.path()).unwrap();
        // Only root can change the owner of a file.
        if std::os::unix::fs::chown(&token, Some(65534), None).is_err() {
            return;
        }
        let error = Secret::in_folder(home.path()).unwrap_err();
        assert!(matches!(error, SecretError::UnsafeToken { why: Why::Foreign, .. }), "{error}");
        std::os::unix::fs::chown(home.path(), Some(65534), None).unwrap();
        let error = Secret::in_folder(home.path()).unwrap_err();
        assert!(matches!(error, SecretError::Unsafe { why: Why::Foreign, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("belongs to another user") && text.contains("HEADROOM_HOME"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_the_user_names_may_belong_to_another_and_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;

        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mounted");
        let own = "abcdefghijklmnopqrstuvwxyz-0123456789";
        assert!(matches!(Secret::from_file(&path), Err(SecretError::Io { .. })), "none is made");
        fs::write(&path, own).unwrap();
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        // Only root can change the owner of a file.
        let _ = std::os::unix::fs::chown(&path, Some(65534), None);
        for (given, is_taken) in [(0o644, true), (0o440, true), (0o664, false), (0o646, false)] {
            set(given);
            let found = Secret::from_file(&path);
            assert_eq!(found.is_ok_and(|secret| secret.matches(own.as_bytes())), is_taken, "{given:o}");
            assert_eq!(mode(), given);
        }
        set(0o644);
        fs::write(&path, "short").unwrap();
        assert!(matches!(Secret::from_file(&path), Err(SecretError::WeakFile { .. })));
        let in_folder = Secret::configured(None, Some(home.path())).unwrap().unwrap();
        assert!(!in_folder.matches(own.as_bytes()));
        assert!(Secret::configured(None, None).unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_the_token_is_an_error_and_no_wait() {
        let home = tempfile::tempdir().unwrap();
        let token = home.path().join(FILE);
        assert!(std::process::Command::new("mkfifo").arg(&token).status().unwrap().success());
        let error = Secret::in_folder(home.path()).unwrap_err();
        assert!(matches!(error, SecretError::UnsafeToken { why: Why::Special, .. }), "{error}");
    }

    #[test]
    fn the_users_own_is_taken_if_it_is_long_enough() {
        let home = tempfile::tempdir().unwrap();
        let own = "abcdefghijklmnopqrstuvwxyz-0123456789";
        fs::write(home.path().join(FILE), format!("{own}\n")).unwrap();
        let secret = Secret::in_folder(home.path()).unwrap();
        assert!(secret.matches(own.as_bytes()));
        for other in ["", &own[1..], &format!("{own}0"), &own.to_uppercase()] {
            assert!(!secret.matches(other.as_bytes()), "{other}");
        }
        assert!(!format!("{secret:?}").contains(own));
        for weak in ["", "\n", "short", &"a b ".repeat(20)] {
            fs::write(home.path().join(FILE), weak).unwrap();
            assert!(matches!(Secret::in_folder(home.path()), Err(SecretError::Weak { .. })), "{weak:?}");
        }
    }
}
