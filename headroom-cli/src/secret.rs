//! The secret that guards the proxy's own routes.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use headroom_axum::Secret as Token;
use tempfile::NamedTempFile;

/// The file in the user's folder that holds it.
const FILE: &str = "token";
/// Bytes of a secret that is made here.
const RANDOM_BYTES: usize = 32;

/// A token that the user can read, and neither another user nor a web page.
#[derive(Clone, Debug)]
pub(crate) struct Secret(Token);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} holds no token of 32 letters and digits or more; delete it and a new one is made", path.display())]
    Weak { path: PathBuf },
}

impl Secret {
    /// The one that the folder holds. Where it holds none, one is made that all processes of the user will find.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, SecretError> {
        let path = folder.join(FILE);
        let failed = |source| SecretError::Io { path: path.clone(), source };
        let weak = || SecretError::Weak { path: path.clone() };
        let text = match read(&path).map_err(failed)? {
            Some(text) => text,
            None => make(folder, &path).map_err(failed)?,
        };
        Token::new(text.trim()).map(Self).map_err(|_| weak())
    }

    /// The token itself, to be shown to a proxy.
    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Whether this is it. How long that takes does not tell how much of it is right.
    pub(crate) fn matches(&self, given: &[u8]) -> bool {
        self.0.matches(given)
    }
}

/// What the file holds, which from then on is for the user's eyes only.
fn read(path: &Path) -> io::Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(Some(text))
}

/// Puts a new secret where nobody has put one meanwhile, whole from the first moment that it can be seen.
fn make(folder: &Path, path: &Path) -> io::Result<String> {
    make_private(folder)?;
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Readable for the user alone.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{secret}")?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(secret),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
        }
        Err(error) => Err(error.error),
    }
}

/// Makes a folder that only the user can look into.
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
