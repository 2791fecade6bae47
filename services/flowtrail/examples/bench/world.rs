//! The company whose traffic is measured with: 500 users, 2,000 peers, 20,000 places they talk to. Always the same.

use model::traffic::{Endpoint, EndpointType, GeoLocation, Policy, User};

use crate::random::Random;

const SEED: u64 = 2025;
const USERS: usize = 500;
const POLICIES: usize = 100;
const PEERS: usize = 2000;
const DESTINATIONS: usize = 20_000;
const GATEWAYS: usize = 40;
/// Late enough among the destinations to be in one of some 8,000 records.
const RARE_DESTINATION: usize = 400;

/// Part of several names, so a search for it finds a good part of the records.
pub(crate) const COMMON_TEXT: &str = "mar";
/// Part of one destination's name.
pub(crate) const RARE_TEXT: &str = "quokka";

const FIRST_NAMES: [&str; 24] = [
    "anna", "bruno", "clara", "dario", "elif", "felix", "greta", "hugo", "ines", "jakob", "klara", "leon", "marta",
    "noah", "olivia", "pavel", "rita", "samara", "theo", "uma", "vito", "wanda", "yusuf", "zoe",
];
const LAST_NAMES: [&str; 16] = [
    "adler", "bauer", "cruz", "dietz", "egger", "fontana", "gruber", "hansen", "ivanova", "jung", "kovac", "lindt",
    "mora", "novotny", "okafor", "petit",
];
const CITIES: [(&str, &str); 12] = [
    ("Berlin", "DE"),
    ("Lyon", "FR"),
    ("Leeds", "GB"),
    ("Boston", "US"),
    ("Austin", "US"),
    ("Gdansk", "PL"),
    ("Sevilla", "ES"),
    ("Osaka", "JP"),
    ("Perth", "AU"),
    ("Ottawa", "CA"),
    ("Utrecht", "NL"),
    ("Brno", "CZ"),
];
const SYSTEMS: [&str; 6] = ["Linux", "Linux", "Windows 11", "macOS 15", "Android 15", "iOS 18"];
const PEER_KINDS: [&str; 6] = ["laptop", "desktop", "phone", "build", "database", "node"];
const SERVICES: [&str; 14] = [
    "api", "web", "git", "mail", "metrics", "logs", "cache", "queue", "wiki", "registry", "proxy", "ldap", "ntp",
    "backup",
];

/// A machine of the company.
pub(crate) struct Peer {
    /// Its address has no port yet.
    pub(crate) endpoint: Endpoint,
    pub(crate) user: User,
    pub(crate) policy: Policy,
}

pub(crate) struct World {
    pub(crate) users: Vec<User>,
    /// The likeliest first, as in all lists here.
    pub(crate) peers: Vec<Peer>,
    /// Their addresses have no port yet.
    pub(crate) destinations: Vec<Endpoint>,
    /// Peers that report what is routed through them.
    pub(crate) gateways: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut random = Random::new(SEED);
        let users: Vec<User> = (0..USERS).map(|number| user(number, &mut random)).collect();
        let policies: Vec<Policy> = (0..POLICIES).map(|number| policy(number, &mut random)).collect();
        let peers: Vec<Peer> = (0..PEERS)
            .map(|number| {
                let (user, policy) = (random.early_of(&users, 2).clone(), random.early_of(&policies, 2).clone());
                Peer { endpoint: peer(number, &user, &mut random), user, policy }
            })
            .collect();
        let destinations = (0..DESTINATIONS).map(|number| destination(number, &mut random)).collect();
        let every = PEERS / GATEWAYS;
        let gateways = peers.iter().step_by(every).filter_map(|peer| peer.endpoint.id.clone()).collect();
        Self { users, peers, destinations, gateways }
    }
}

fn user(number: usize, random: &mut Random) -> User {
    let (first, last) = (random.one_of(&FIRST_NAMES), random.one_of(&LAST_NAMES));
    User {
        id: Some(format!("google-oauth2|{:021}", random.bits())),
        email: Some(format!("{first}.{last}{number}@corp.example")),
        name: Some(format!("{first} {last}")),
    }
}

fn policy(number: usize, random: &mut Random) -> Policy {
    let service = random.one_of(&SERVICES);
    Policy { id: Some(random.id()), name: Some(format!("policy-{number:03} {service} access")) }
}

fn peer(number: usize, user: &User, random: &mut Random) -> Endpoint {
    let owner = user.email.as_deref().and_then(|email| email.split('.').next()).unwrap_or_default();
    let name = format!("{owner}-{}-{number:04}", random.one_of(&PEER_KINDS));
    Endpoint {
        id: Some(random.id()),
        endpoint_type: EndpointType::Peer,
        geo_location: place(random),
        os: Some((*random.one_of(&SYSTEMS)).to_owned()),
        address: Some(format!("100.{}.{}.{}", 64 + number / 250, number % 7, number % 250 + 1)),
        dns_label: Some(format!("{name}.corp.mesh")),
        name: Some(name),
    }
}

fn destination(number: usize, random: &mut Random) -> Endpoint {
    let (net, low, high) = (number % 64, random.below(256), random.below(256));
    let service = if number == RARE_DESTINATION { RARE_TEXT } else { random.one_of(&SERVICES) };
    let name = format!("{service}-{number:05}.sites.example");
    let (endpoint_type, id, dns_label) = match number % 4 {
        0 => (EndpointType::HostResource, Some(random.id()), None),
        1 => (EndpointType::SubnetResource, Some(random.id()), None),
        2 => (EndpointType::DomainResource, Some(random.id()), Some(name.clone())),
        _ => (EndpointType::Unknown, None, None),
    };
    Endpoint {
        name: id.is_some().then_some(name),
        id,
        endpoint_type,
        geo_location: place(random),
        os: None,
        address: Some(format!("10.{net}.{low}.{high}")),
        dns_label,
    }
}

fn place(random: &mut Random) -> GeoLocation {
    let (city, country) = *random.one_of(&CITIES);
    GeoLocation { city_name: Some(city.to_owned()), country_code: Some(country.to_owned()) }
}
