//! Names for invented users. The addresses lie in domains reserved for examples, so mail to them
//! reaches nobody.

const GIVEN: [&str; 24] = [
    "amara", "ben", "carla", "dmitri", "elena", "farid", "grace", "hiro", "ines", "jonas", "kavya",
    "leo", "mei", "nadia", "omar", "petra", "quinn", "rosa", "samir", "tara", "ugo", "vera", "wim",
    "yuki",
];
const FAMILY: [&str; 24] = [
    "adeyemi", "baker", "costa", "diaz", "eriksen", "fischer", "garcia", "haddad", "ivanov",
    "jensen", "khan", "larsen", "moreau", "nakamura", "okafor", "patel", "quiroga", "rossi",
    "silva", "tanaka", "usman", "vargas", "weber", "zhang",
];
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

/// The name under which user `number` refers others. Numbers are unique, so names are.
pub(crate) fn username(number: u64) -> String {
    format!("{}{number}", pick(&GIVEN, number))
}

/// The e-mail address of user `number` of the history called `tag`; two histories share none.
pub(crate) fn email(number: u64, tag: &str) -> String {
    let (given, family) = (pick(&GIVEN, number), pick(&FAMILY, number / 24));
    format!("{given}.{family}{number}@{tag}.{}", pick(&DOMAINS, number / 7))
}

fn pick<'a>(list: &[&'a str], number: u64) -> &'a str {
    let index = usize::try_from(number).unwrap_or(0) % list.len();
    list[index]
}
