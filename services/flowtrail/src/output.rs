//! In which form answers are printed.

/// What an answer is for.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Output {
    /// For programs: one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
