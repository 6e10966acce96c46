//! The session cookie.

use std::time::Duration;

use super::session::SessionToken;

/// Its name. Browsers accept a `__Host-` cookie only over https, for this host alone and for all
/// paths, so no neighbour can plant one.
pub(super) fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-rr_session" } else { "rr_session" }
}

/// `Set-Cookie` that begins a session.
pub(crate) fn session_cookie(token: &SessionToken, https: bool, lives: Duration) -> String {
    format!(
        "{}={}; Max-Age={}; {}",
        cookie_name(https),
        token.expose(),
        lives.as_secs(),
        attributes(https)
    )
}

/// `Set-Cookie` that makes the browser forget the session.
pub(crate) fn clear_cookie(https: bool) -> String {
    format!("{}=; Max-Age=0; {}", cookie_name(https), attributes(https))
}

fn attributes(https: bool) -> &'static str {
    if https {
        "Path=/; HttpOnly; SameSite=Strict; Secure"
    } else {
        "Path=/; HttpOnly; SameSite=Strict"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rr_domain::Random;

    #[test]
    fn the_cookie_is_as_closed_as_the_connection_allows() {
        let token = SessionToken::new(&Random::new(|buffer| buffer.fill(0)));
        let text = "A".repeat(43);
        let lives = Duration::from_secs(60);
        assert_eq!(
            session_cookie(&token, true, lives),
            format!(
                "__Host-rr_session={text}; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure"
            )
        );
        assert_eq!(
            session_cookie(&token, false, lives),
            format!("rr_session={text}; Max-Age=60; Path=/; HttpOnly; SameSite=Strict")
        );
        assert_eq!(
            clear_cookie(true),
            "__Host-rr_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
    }
}
