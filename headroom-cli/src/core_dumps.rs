//! Disables core dumps, which would hold prompts and keys.

/// Disables core dumps of this process.
///
/// The limit suffices where cores are files. Where the kernel pipes them to a program, as with `systemd-coredump`, it
/// checks only whether the process may be dumped. That also keeps other processes of the same user from reading its
/// memory. Only the soft limit changes, and a process that is started later can raise it again.
pub(crate) fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Core);
        limit.current = Some(0);
        // Lowering it is always allowed.
        let _ = setrlimit(Resource::Core, limit);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}
