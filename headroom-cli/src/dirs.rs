//! The folders of the user, as the environment names them.
//!
//! By the XDG specification, an empty or relative path counts as not set.

use std::{env, ffi::OsString, path::PathBuf};

/// The folder that this variable names, if its path is absolute.
pub(crate) fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The value of a variable that has one.
pub(crate) fn value(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.trim().is_empty())
}

/// The home folder as agents and cloud tools find it, on every system.
pub(crate) fn user_home() -> Option<PathBuf> {
    value("HOME").or_else(|| value("USERPROFILE")).map(PathBuf::from)
}

/// The home folder, if its path is absolute. Windows sets `USERPROFILE` alone.
fn home() -> Option<PathBuf> {
    absolute("HOME").or_else(|| absolute("USERPROFILE"))
}

/// The folder that this variable names, or the one at `of_home` below the user's home.
pub(crate) fn named(variable: &str, of_home: &str) -> Option<PathBuf> {
    value(variable).map(PathBuf::from).or_else(|| Some(user_home()?.join(of_home)))
}

/// The folder of the user's configuration files.
pub(crate) fn config_home() -> Option<PathBuf> {
    absolute("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))
}

/// The folder of what programs remember.
pub(crate) fn state_home() -> Option<PathBuf> {
    absolute("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local/state")))
}

/// The user's folder for Headroom's persistent data: `HEADROOM_HOME`, else Headroom's folder by the XDG specification,
/// else `~/.headroom`.
pub(crate) fn headroom_home() -> Option<PathBuf> {
    headroom_home_by(|name| env::var_os(name))
}

fn headroom_home_by(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let given = |name| variable(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let absolute = |name| given(name).filter(|path| path.is_absolute());
    given("HEADROOM_HOME")
        .or_else(|| Some(absolute("XDG_DATA_HOME")?.join("headroom")))
        .or_else(|| Some(absolute("HOME").or_else(|| absolute("USERPROFILE"))?.join(".headroom")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_found_where_the_user_has_it() {
        let home = |set: &[(&str, &str)]| {
            let value = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
            headroom_home_by(value).map(|path| path.to_str().unwrap().to_owned())
        };
        let all = [("HEADROOM_HOME", "/own"), ("XDG_DATA_HOME", "/data"), ("HOME", "/home/me")];
        assert_eq!(home(&all).as_deref(), Some("/own"));
        assert_eq!(home(&all[1..]).as_deref(), Some("/data/headroom"));
        assert_eq!(home(&all[2..]).as_deref(), Some("/home/me/.headroom"));
        assert_eq!(home(&[("USERPROFILE", "/users/me")]).as_deref(), Some("/users/me/.headroom"));
        assert_eq!(home(&[]), None);
        let odd = [("HEADROOM_HOME", ""), ("XDG_DATA_HOME", "data"), ("HOME", "/home/me")];
        assert_eq!(home(&odd).as_deref(), Some("/home/me/.headroom"));
    }
}
