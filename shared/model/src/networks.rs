//! Networks that the operator names: a list of CIDRs.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks, none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// The operator's list is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no CIDR such as 10.1.0.0/16 or fd00::/8; separate several by commas")]
pub struct BadNetwork(String);

impl Networks {
    /// Whether there is none.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl std::str::FromStr for Networks {
    type Err = BadNetwork;

    /// Reads CIDRs, separated by commas; a single address is one, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parse = |part: &str| {
            let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| BadNetwork(part.to_owned()))
        };
        Ok(Self(parts.map(parse).collect::<Result<_, _>>()?))
    }
}
