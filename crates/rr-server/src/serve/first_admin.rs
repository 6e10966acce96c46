//! The first administrator: somebody must be able to sign in.

use rr_domain::Label;
use rr_store::{Actor, PageRequest, Store, UserFilter};

use super::{Mode, password};
use crate::commands::{Context, give_password};
use crate::config::secret::Secret;
use crate::email::Email;
use crate::failure::Failure;

/// An administrator who was given a password just now.
#[derive(Debug)]
pub(super) struct FirstAdmin {
    pub(super) email: Email,
    /// The password, where it was generated and has to be shown.
    pub(super) generated: Option<Secret>,
}

/// Gives an administrator a password as long as nobody can sign in: the one that is configured,
/// and in the demo the administrator of the demo data with a generated password.
pub(super) async fn ensure(
    context: &Context,
    mode: Mode,
    store: &Store,
) -> Result<Option<FirstAdmin>, Failure> {
    if store.can_anyone_sign_in().await? {
        return Ok(None);
    }
    let admin = &context.config.admin;
    let email = match (&admin.email, mode) {
        (Some(email), _) => Some(email.clone()),
        (None, Mode::Demo) => administrator(store).await?,
        (None, Mode::Plain) => None,
    };
    let (password, is_generated) = match (&admin.password, mode) {
        (Some(password), _) => (Some(password.clone()), false),
        (None, Mode::Demo) => (Some(password::generate(&context.random)), true),
        (None, Mode::Plain) => (None, false),
    };
    let (Some(email), Some(password)) = (email, password) else {
        tracing::warn!(
            "nobody can sign in to the panel yet: set RR_ADMIN_EMAIL and RR_ADMIN_PASSWORD, or \
             run `revenue-ripple admin create --email …`"
        );
        return Ok(None);
    };
    give_password(context, store, &email, &password, Actor::System).await?;
    tracing::info!(%email, "made the first administrator");
    Ok(Some(FirstAdmin { email, generated: is_generated.then_some(password) }))
}

/// An administrator that the data holds already, else the usual address.
pub(super) async fn administrator(store: &Store) -> Result<Option<Email>, Failure> {
    let filter =
        UserFilter { role: Some(Label::ADMIN.as_str().to_owned()), ..UserFilter::default() };
    let page = store.users(filter, PageRequest { limit: 1, cursor: None }).await?;
    let email = page.items.first().map_or(crate::seed::ADMIN_EMAIL, |user| user.email.as_str());
    Ok(Email::parse(email).ok())
}
