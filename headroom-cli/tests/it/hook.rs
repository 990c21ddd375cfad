//! `headroom hook`, from outside.

#[cfg(unix)]
mod install;
#[cfg(unix)]
mod run;
