//! Users, for lists and for signing in. Figures about users come from facts.

use rr_domain::{Label, Timestamp};
use uuid::Uuid;

use crate::{Audit, Page, PageRequest, Store, StoreError};

/// A user to keep.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The id.
    pub id: Uuid,
    /// The e-mail; kept and compared in lower case.
    pub email: String,
    /// The role.
    pub role: Label,
    /// The plan, if any.
    pub plan: Option<Label>,
    /// The status.
    pub status: Label,
    /// The argon2id hash of the password (PHC text), for those who may sign in.
    pub password_hash: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed when.
    pub updated_at: Timestamp,
}

/// A stored user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The id.
    pub id: Uuid,
    /// The e-mail, in lower case.
    pub email: String,
    /// The role.
    pub role: Label,
    /// The plan, if any.
    pub plan: Option<Label>,
    /// The status.
    pub status: Label,
    /// Whether a password is set.
    pub has_password: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed when.
    pub updated_at: Timestamp,
}

/// What became of a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateUser {
    /// It is stored, and so is the fact that it was created.
    Created,
    /// The user of this id has the e-mail (or is this very user) already.
    EmailTaken(Uuid),
}

/// What signing in needs to know of a user with a password.
#[derive(Clone)]
pub struct Login {
    /// The id.
    pub id: Uuid,
    /// The e-mail.
    pub email: String,
    /// The role.
    pub role: Label,
    /// The status.
    pub status: Label,
    /// The hash to check the password against (PHC text).
    pub password_hash: String,
}

/// Which users.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Only with this role.
    pub role: Option<String>,
    /// Only with this status.
    pub status: Option<String>,
    /// Only whose e-mail contains this text.
    pub q: Option<String>,
}

impl Store {
    /// Stores a user and the fact of its creation.
    pub async fn create_user(&self, user: NewUser, audit: Audit) -> Result<CreateUser, StoreError> {
        let _ = (user, audit);
        todo!()
    }

    /// Sets a user's password and ends the user's sessions; says whether the user exists.
    pub async fn set_password(
        &self,
        user: Uuid,
        password_hash: String,
        audit: Audit,
    ) -> Result<bool, StoreError> {
        let _ = (user, password_hash, audit);
        todo!()
    }

    /// The user of this e-mail, if it has a password.
    pub async fn find_login(&self, email: String) -> Result<Option<Login>, StoreError> {
        let _ = email;
        todo!()
    }

    /// Whether there is an administrator with a password.
    pub async fn can_anyone_sign_in(&self) -> Result<bool, StoreError> {
        todo!()
    }

    /// Users, newest first.
    pub async fn users(
        &self,
        filter: UserFilter,
        page: PageRequest,
    ) -> Result<Page<UserRow>, StoreError> {
        let _ = (filter, page);
        todo!()
    }

    /// A user by id.
    pub async fn user(&self, id: Uuid) -> Result<Option<UserRow>, StoreError> {
        let _ = id;
        todo!()
    }

    /// A user by e-mail.
    pub async fn user_by_email(&self, email: String) -> Result<Option<UserRow>, StoreError> {
        let _ = email;
        todo!()
    }
}
