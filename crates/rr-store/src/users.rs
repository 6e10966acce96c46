//! Users, for lists and for signing in. Figures about users come from facts.

use diesel::QueryResult;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use rr_domain::{Fact, FactKind, Label, Timestamp, imported_id};
use serde_json::json;
use uuid::Uuid;

use crate::conn::{Clash, Conn, Row, Values, insert_new, on_each};
use crate::facts::{self, Appended};
use crate::page::{cut, fetch_limit};
use crate::schema::{sessions, users};
use crate::types::{At, DbTime, DbUuid, Id, label};
use crate::{Audit, Cursor, Page, PageRequest, Store, StoreError};

/// A user to keep.
#[derive(Clone)]
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

/// Shows neither the password's hash nor anything personal.
impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").field("id", &self.id).finish_non_exhaustive()
    }
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
        self.write_facts(move |conn| {
            if insert(conn, std::slice::from_ref(&user))?.is_empty() {
                let Id(taken) = on_each!(conn, |c| users::table
                    .filter(
                        users::email.eq(user.email.to_lowercase()).or(users::id.eq(Id(user.id)))
                    )
                    .select(users::id)
                    .first(c))?;
                return Ok((CreateUser::EmailTaken(taken), Appended::default()));
            }
            let appended = facts::append(conn, &[creation(&user)], audit.at)?;
            let detail = json!({ "email": user.email.to_lowercase(), "role": user.role });
            audit.record(conn, "user.created", Some(format!("user:{}", user.id)), &detail)?;
            Ok((CreateUser::Created, appended))
        })
        .await
    }

    /// Sets a user's password and ends the user's sessions; says whether the user exists.
    pub async fn set_password(
        &self,
        user: Uuid,
        password_hash: String,
        audit: Audit,
    ) -> Result<bool, StoreError> {
        self.write(move |conn| {
            let changed = on_each!(conn, |c| diesel::update(users::table.find(Id(user)))
                .set((users::password_hash.eq(&password_hash), users::updated_at.eq(At(audit.at)),))
                .execute(c))?;
            if changed == 0 {
                return Ok(false);
            }
            on_each!(conn, |c| diesel::delete(
                sessions::table.filter(sessions::user_id.eq(Id(user)))
            )
            .execute(c))?;
            audit.record(conn, "user.password_set", Some(format!("user:{user}")), &json!({}))?;
            Ok(true)
        })
        .await
    }

    /// Replaces the stored form of a password that stays the same, unless the password has been
    /// changed meanwhile; says whether it was replaced. Sessions go on.
    pub async fn rehash_password(
        &self,
        user: Uuid,
        from: String,
        to: String,
        audit: Audit,
    ) -> Result<bool, StoreError> {
        self.write(move |conn| {
            let unchanged = || users::table.find(Id(user)).filter(users::password_hash.eq(&from));
            let changed = on_each!(conn, |c| diesel::update(unchanged())
                .set(users::password_hash.eq(&to))
                .execute(c))?;
            if changed == 0 {
                return Ok(false);
            }
            audit.record(
                conn,
                "user.password_rehashed",
                Some(format!("user:{user}")),
                &json!({}),
            )?;
            Ok(true)
        })
        .await
    }

    /// The user of this e-mail, if it has a password.
    pub async fn find_login(&self, email: String) -> Result<Option<Login>, StoreError> {
        let email = email.to_lowercase();
        self.read(move |conn| {
            let found: Option<(Id, String, String, String, Option<String>)> =
                on_each!(conn, |c| users::table
                    .filter(users::email.eq(&email))
                    .select((
                        users::id,
                        users::email,
                        users::role,
                        users::status,
                        users::password_hash,
                    ))
                    .first(c)
                    .optional())?;
            let Some((Id(id), email, role, status, Some(password_hash))) = found else {
                return Ok(None);
            };
            let (role, status) = (label(&role)?, label(&status)?);
            Ok(Some(Login { id, email, role, status, password_hash }))
        })
        .await
    }

    /// Whether there is an administrator with a password.
    pub async fn can_anyone_sign_in(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let with_password = || {
                users::table
                    .filter(users::role.eq(Label::ADMIN.as_str()))
                    .filter(users::password_hash.is_not_null())
            };
            on_each!(conn, |c| diesel::select(exists(with_password())).get_result(c))
        })
        .await
    }

    /// Users, newest first.
    pub async fn users(
        &self,
        filter: UserFilter,
        page: PageRequest,
    ) -> Result<Page<UserRow>, StoreError> {
        let pattern = filter.q.as_deref().map(contains);
        self.read(move |conn| {
            let records: Vec<UserRecord> = on_each!(conn, |c| {
                let mut query = users::table.select(UserRecord::as_select()).into_boxed();
                if let Some(role) = &filter.role {
                    query = query.filter(users::role.eq(role));
                }
                if let Some(status) = &filter.status {
                    query = query.filter(users::status.eq(status));
                }
                if let Some(pattern) = &pattern {
                    query = query.filter(users::email.like(pattern).escape('!'));
                }
                if let Some(last) = page.cursor {
                    query =
                        query.filter(users::created_at.lt(At(last.at)).or(
                            users::created_at.eq(At(last.at)).and(users::id.lt(Id(last.id()))),
                        ));
                }
                query
                    .order((users::created_at.desc(), users::id.desc()))
                    .limit(fetch_limit(&page))
                    .load(c)
            })?;
            let rows = records.into_iter().map(UserRecord::into_row);
            let rows = rows.collect::<QueryResult<Vec<_>>>()?;
            Ok(cut(rows, &page, |row| Cursor::after_id(row.created_at, row.id)))
        })
        .await
    }

    /// A user by id.
    pub async fn user(&self, id: Uuid) -> Result<Option<UserRow>, StoreError> {
        self.read(move |conn| {
            let found: Option<UserRecord> = on_each!(conn, |c| users::table
                .find(Id(id))
                .select(UserRecord::as_select())
                .first(c)
                .optional())?;
            found.map(UserRecord::into_row).transpose()
        })
        .await
    }

    /// A user by e-mail.
    pub async fn user_by_email(&self, email: String) -> Result<Option<UserRow>, StoreError> {
        let email = email.to_lowercase();
        self.read(move |conn| {
            let found: Option<UserRecord> = on_each!(conn, |c| users::table
                .filter(users::email.eq(&email))
                .select(UserRecord::as_select())
                .first(c)
                .optional())?;
            found.map(UserRecord::into_row).transpose()
        })
        .await
    }
}

/// Inserts those users of whom neither id nor e-mail is known; gives their ids.
pub(crate) fn insert(conn: &mut Conn, all: &[NewUser]) -> QueryResult<Vec<Id>> {
    let rows: Vec<NewRecord<'_>> = all.iter().map(NewRecord::of).collect();
    insert_new(conn, &rows)
}

/// The fact that a user came to be. Its id follows from the user's, so that it exists only once.
fn creation(user: &NewUser) -> Fact {
    let kind = FactKind::UserCreated {
        user: user.id,
        role: user.role.clone(),
        status: user.status.clone(),
    };
    let id = imported_id("facts", &format!("users/{}/created", user.id));
    Fact { id, occurred_at: user.created_at, kind }
}

/// A pattern for texts that contain `part`, whatever characters it holds.
fn contains(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

struct NewRecord<'a> {
    id: Id,
    email: String,
    role: &'a str,
    plan: Option<&'a str>,
    status: &'a str,
    password_hash: Option<&'a str>,
    created_at: At,
    updated_at: At,
}

impl Row for NewRecord<'_> {
    type Named = NewRecord<'static>;
    const INTO: &'static str =
        "users (id, email, role, plan, status, password_hash, created_at, updated_at)";
    const CLASH: Clash = Clash::Stays(" ON CONFLICT DO NOTHING");

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<DbUuid, _>(&self.id)?;
        values.put::<Text, _>(self.email.as_str())?;
        values.put::<Text, _>(self.role)?;
        values.put::<Nullable<Text>, _>(&self.plan)?;
        values.put::<Text, _>(self.status)?;
        values.put::<Nullable<Text>, _>(&self.password_hash)?;
        values.put::<DbTime, _>(&self.created_at)?;
        values.put::<DbTime, _>(&self.updated_at)
    }
}

impl<'a> NewRecord<'a> {
    fn of(user: &'a NewUser) -> NewRecord<'a> {
        NewRecord {
            id: Id(user.id),
            email: user.email.to_lowercase(),
            role: user.role.as_str(),
            plan: user.plan.as_ref().map(Label::as_str),
            status: user.status.as_str(),
            password_hash: user.password_hash.as_deref(),
            created_at: At(user.created_at),
            updated_at: At(user.updated_at),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRecord {
    id: Id,
    email: String,
    role: String,
    plan: Option<String>,
    status: String,
    password_hash: Option<String>,
    created_at: At,
    updated_at: At,
}

impl UserRecord {
    fn into_row(self) -> QueryResult<UserRow> {
        Ok(UserRow {
            id: self.id.0,
            email: self.email,
            role: label(&self.role)?,
            plan: self.plan.as_deref().map(label).transpose()?,
            status: label(&self.status)?,
            has_password: self.password_hash.is_some(),
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}
