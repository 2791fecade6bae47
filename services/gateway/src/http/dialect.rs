//! Which dialect a path speaks.

/// The way a client is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Refuses with `{"message","code"}`.
    NetBird,
    /// Refuses with `{"detail"}`, as FastAPI does.
    InstaVm,
    /// Refuses with `{"code","message","details"}`.
    Vrni,
    /// Refuses as RFC 9457 says; for every path that belongs to no other dialect.
    Native,
}

impl Dialect {
    /// In the order of the description of the API.
    pub(crate) const ALL: [Self; 4] = [Self::NetBird, Self::InstaVm, Self::Vrni, Self::Native];

    /// Its name in the description of the API, and in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NetBird => "NetBird",
            Self::InstaVm => "InstaVM",
            Self::Vrni => "vRNI",
            Self::Native => "Flowtrail",
        }
    }

    /// What it is, in the description of the API.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::NetBird => {
                "Events and event streaming as NetBird's dashboard and clients know them, and what Flowtrail adds to them: \
                 more filters, cursors, publishing over HTTP."
            }
            Self::InstaVm => "InstaVM's audit API, down to how it refuses parameters.",
            Self::Vrni => "Sign-in and audit logs of vRNI (VMware Aria Operations for Networks).",
            Self::Native => {
                "The lists in Flowtrail's own form, what it could not take in, whether it is well, and this description."
            }
        }
    }

    /// Whether it stands for an API that others made, which ignores parameters that it does not know.
    pub(crate) fn ignores_unknown(self) -> bool {
        match self {
            Self::NetBird | Self::InstaVm | Self::Vrni => true,
            Self::Native => false,
        }
    }

    /// The dialect of a path, known or not.
    pub(crate) fn of(path: &str) -> Self {
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_below("/api/ni") {
            Self::Vrni
        } else if is_below("/api") {
            Self::NetBird
        } else if is_below("/v1") {
            Self::InstaVm
        } else {
            Self::Native
        }
    }
}
