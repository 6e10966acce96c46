//! What the demo prints: where to look, how to sign in, three calls that work as pasted.

use super::prepare::{DEMO_KEY, Prepared};
use crate::output;

/// Prints it. Password and key appear at the start that made them and never again.
pub(super) fn print(url: &str, prepared: &Prepared, has_panel: bool) {
    for line in lines(url, prepared, has_panel) {
        output::line(line);
    }
}

fn lines(url: &str, prepared: &Prepared, has_panel: bool) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        match has_panel {
            true => format!("  Panel     {url}{}", rr_admin::PANEL_PATH),
            false => {
                "  Panel     not built into this program: `cargo xtask ui`, then build again".into()
            }
        },
        format!("  API       {url}/docs"),
    ];
    let admin = prepared.first_admin.as_ref();
    if let Some(email) = admin.map(|admin| &admin.email).or(prepared.administrator.as_ref()) {
        lines.push(format!("  Email     {email}"));
    }
    lines.push(match admin {
        Some(admin) => match &admin.generated {
            Some(password) => {
                format!("  Password  {}   (shown this once)", password.expose())
            }
            None => "  Password  the one in RR_ADMIN_PASSWORD".to_owned(),
        },
        None => "  Password  set earlier; `revenue-ripple admin create` gives a new one".to_owned(),
    });
    let key = match &prepared.demo_key {
        Some(key) => {
            lines.push(format!("  Demo key  {}   (shown this once)", key.expose()));
            key.expose()
        }
        None => {
            lines.push(format!("  Demo key  made earlier: \"{DEMO_KEY}\" in the panel's list"));
            "$KEY"
        }
    };
    let hint = match prepared.demo_key {
        Some(_) => "Three calls to try:",
        None => "Three calls to try, with KEY=rr_… set to the demo key:",
    };
    lines.extend([
        String::new(),
        format!("  {hint}"),
        String::new(),
        format!("    curl -s {url}/api/devops/sync/users -H \"x-api-key: {key}\""),
        format!("    curl -s {url}/your-existing-api/dashboard -H \"x-api-key: {key}\""),
        format!(
            "    curl -s {url}/api/devops/webhook -H \"x-api-key: {key}\" -H \"content-type: \
             application/json\" -d '{{\"event_type\":\"deployment\",\"status\":\"success\",\
             \"version\":\"1.2.3\"}}'"
        ),
        String::new(),
        "  Ctrl-C ends the server.".to_owned(),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret::Secret;
    use crate::email::Email;
    use crate::serve::first_admin::FirstAdmin;

    #[test]
    fn a_generated_password_is_shown_and_a_chosen_one_is_not() {
        let email = Email::parse("ann@example.com").unwrap();
        for (generated, shown, hidden) in [
            (Some("made-for-you"), "made-for-you", "RR_ADMIN_PASSWORD"),
            (None, "RR_ADMIN_PASSWORD", "shown this once"),
        ] {
            let first_admin =
                FirstAdmin { email: email.clone(), generated: generated.map(Secret::new) };
            let prepared = Prepared { first_admin: Some(first_admin), ..Prepared::default() };
            let text = lines("http://127.0.0.1:5000", &prepared, true).join("\n");
            assert!(text.contains(shown) && !text.contains(hidden), "{text}");
            assert!(text.contains("Email     ann@example.com"));
        }
    }

    #[test]
    fn a_later_start_says_what_is_there_and_shows_no_secret() {
        let text = lines("http://127.0.0.1:5000", &Prepared::default(), true).join("\n");
        assert!(text.contains("made earlier") && text.contains("set earlier"), "{text}");
        assert_eq!(text.matches("x-api-key: $KEY").count(), 3);
    }

    #[test]
    fn nobody_is_sent_to_a_panel_that_is_not_there() {
        for (has_panel, shown, hidden) in
            [(true, "http://h/admin", "cargo xtask ui"), (false, "cargo xtask ui", "/admin")]
        {
            let text = lines("http://h", &Prepared::default(), has_panel).join("\n");
            assert!(text.contains(shown) && !text.contains(hidden), "{text}");
        }
    }
}
