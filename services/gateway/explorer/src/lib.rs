//! The page on which people look at what is in the log, as its build wrote it.
//!
//! Its sources, in TypeScript, are beside this crate's, in `app`; `build.rs` builds them. It asks the HTTP API and nothing
//! else: what it can do, a program can do.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path: `index.html`, or `assets/` and a name that its contents decide, so that under one name there is never
    /// something else.
    pub name: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// All files of the page; none where it was built without Node.
pub const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));
