//! How keys are kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use rr_keys::HashScheme;
use rr_store::{KeySchemes, PepperVersion};
use zeroize::Zeroizing;

use super::secret::Secret;
use super::source::{ConfigError, Setting, Sources};

/// `[keys]`.
#[derive(Debug, Clone)]
pub(crate) struct KeysConfig {
    /// `RR_KEY_PEPPERS`, `keys.peppers`: `NUMBER:BASE64`, the one for new keys first. `none` before them makes them
    /// known, and new keys stand under none still. Default none.
    ///
    /// `RR_KEY_PLAIN_HASHES`, `keys.plain_hashes`: `accept` or `refuse` keys that stand under no pepper. Default
    /// `accept`.
    pub(crate) schemes: KeySchemes,
}

pub(crate) const PEPPERS: Setting = Setting::new("keys.peppers", "RR_KEY_PEPPERS");
pub(crate) const PLAIN: Setting = Setting::new("keys.plain_hashes", "RR_KEY_PLAIN_HASHES");

/// Room for as many as anyone rotates at a time; each is a look more for a key that is not in memory.
const MOST: usize = 8;

impl KeysConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<KeysConfig, ConfigError> {
        let named = sources.secret_list(PEPPERS, parse_place)?;
        let is_announced = matches!(named.first(), Some(None));
        let of_list = |reason| ConfigError(format!("{}: {reason}", PEPPERS.variable));
        if named.iter().skip(1).any(Option::is_none) {
            return Err(of_list("names none elsewhere than before the others".to_owned()));
        }
        let peppers: Vec<Pepper> = named.into_iter().flatten().collect();
        let takes_plain = sources.optional(PLAIN, parse_plain)?;
        check(&peppers).map_err(of_list)?;
        if takes_plain == Some(false) && (peppers.is_empty() || is_announced) {
            let (plain, peppers) = (PLAIN.variable, PEPPERS.variable);
            return Err(ConfigError(format!("{plain}: refuse needs a pepper in {peppers}")));
        }
        let peppers = peppers.into_iter().map(|pepper| (pepper.version, pepper.scheme)).collect();
        let schemes = match is_announced {
            true => KeySchemes::announced(peppers),
            false => KeySchemes::with_peppers(peppers, takes_plain.unwrap_or(true)),
        };
        Ok(KeysConfig { schemes })
    }
}

/// A pepper, or `none` in its place.
fn parse_place(text: &str) -> Result<Option<Pepper>, String> {
    if text == "none" { Ok(None) } else { Pepper::parse(text).map(Some) }
}

struct Pepper {
    version: PepperVersion,
    bytes: Zeroizing<Vec<u8>>,
    scheme: HashScheme,
}

/// Either alphabet, padded or not, as whatever made it wrote it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Pepper {
    fn parse(text: &str) -> Result<Pepper, String> {
        let (number, text) =
            text.split_once(':').ok_or("is not NUMBER:BASE64, such as 1: and 32 random bytes")?;
        let version = number.trim().parse().ok().filter(|number| (1..=999_999).contains(number));
        let version = version.ok_or("does not begin with a number from 1 to 999999 and a colon")?;
        let text = Zeroizing::new(text.trim().replace('-', "+").replace('_', "/"));
        let bytes = BASE64.decode(text.as_str()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| "has something other than base64 behind its number")?;
        let scheme = HashScheme::hmac_sha256(&bytes).map_err(|error| {
            let length = bytes.len();
            format!("has {length} bytes: {error}; make one with `openssl rand -base64 32`")
        })?;
        match Secret::new(text.as_str()).weakness(1) {
            Some(weakness) => Err(weakness),
            None => Ok(Pepper { version, bytes, scheme }),
        }
    }
}

/// Says nothing of what it holds.
impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({}, …)", self.version)
    }
}

/// What one number means must stay clear, also to whoever reads the numbers beside the hashes.
fn check(peppers: &[Pepper]) -> Result<(), String> {
    if peppers.len() > MOST {
        return Err(format!("has {} peppers, and {MOST} are taken at most", peppers.len()));
    }
    for (place, pepper) in peppers.iter().enumerate() {
        for other in peppers.iter().take(place) {
            if other.version == pepper.version {
                return Err(format!("names two peppers {}", pepper.version));
            }
            if other.bytes == pepper.bytes {
                let (one, two) = (other.version, pepper.version);
                return Err(format!("peppers {one} and {two} are the same"));
            }
        }
    }
    Ok(())
}

fn parse_plain(text: &str) -> Result<bool, &'static str> {
    match text {
        "accept" => Ok(true),
        "refuse" => Ok(false),
        _ => Err("is neither accept nor refuse"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::load;

    const ONE: &str = "aG91c2UgcGVwcGVyIG51bWJlciBvbmU";
    const TWO: &str = "aG91c2UgcGVwcGVyIG51bWJlciB0d28";

    #[test]
    fn a_pepper_that_cannot_be_one_stops_the_start_and_is_not_shown() {
        for (peppers, reason) in [
            (ONE.to_owned(), "value 1 of the list is not NUMBER:BASE64"),
            (format!("1:{ONE},x:{TWO}"), "value 2 of the list does not begin with a number"),
            (format!("0:{ONE}"), "does not begin with a number"),
            (format!("1:{ONE}!"), "something other than base64"),
            (format!("1:{}", &ONE[..12]), "has 9 bytes: a pepper has at least 16 bytes"),
            ("1:".to_owned(), "has 0 bytes"),
            (format!("1:{}", "A".repeat(43)), "is a default"),
            (format!("1:{}", "changeme".repeat(4)), "is a default"),
            (format!("1:{ONE},1:{TWO}"), "names two peppers 1"),
            (format!("2:{ONE},1:{ONE}="), "peppers 2 and 1 are the same"),
            (format!("1:{ONE},none"), "names none elsewhere"),
        ] {
            let error = load("", &[("RR_KEY_PEPPERS", peppers.as_str())]).unwrap_err();
            assert!(error.starts_with("RR_KEY_PEPPERS: ") && error.contains(reason), "{error}");
            for shown in [ONE, TWO, &ONE[..12], "AAAA", "changeme"] {
                assert!(!error.contains(shown), "{error}");
            }
        }
        let error = load("", &[("RR_KEY_PLAIN_HASHES", "refuse")]).unwrap_err();
        assert!(error.contains("needs a pepper in RR_KEY_PEPPERS"), "{error}");
    }

    #[test]
    fn a_pepper_is_never_shown() {
        let peppers = format!("1:{ONE},2:{TWO}");
        let config = load("", &[("RR_KEY_PEPPERS", peppers.as_str())]).unwrap();
        let shown = format!("{config:?} {:?}", Pepper::parse(&format!("1:{ONE}")).unwrap());
        for part in [&ONE[..20], &TWO[..20], "house pepper", "104, 111, 117, 115"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}
