//! `admin create`: somebody who may sign in to the panel.

use std::io::{self, IsTerminal as _};

use rr_domain::{Label, new_id};
use rr_store::{Actor, CreateUser, NewUser, Store};
use serde_json::json;
use uuid::Uuid;

use super::{Context, database, stdin};
use crate::cli::{Admin, AdminCreate};
use crate::config::secret::Secret;
use crate::email::Email;
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(context: &Context, args: Admin) -> Result<(), Failure> {
    let Admin::Create(args) = args;
    create(context, args).await
}

async fn create(context: &Context, args: AdminCreate) -> Result<(), Failure> {
    let email = Email::parse(&args.email)
        .map_err(|reason| Failure::Usage(format!("--email: {:?} {reason}", args.email)))?;
    let password = if args.password_stdin { stdin::first_line()? } else { ask_password()? };
    rr_http::check_password(password.expose())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let store = database::open_current(context).await?;
    let given = give_password(context, &store, &email, &password, Actor::CommandLine).await?;
    store.close().await;
    let (id, is_new) = given;
    if args.json {
        output::json(&json!({ "user_id": id, "email": email.as_str(), "created": is_new }));
    } else if is_new {
        output::line(format!("{email} is an administrator and can sign in"));
    } else {
        output::line(format!("{email} has the new password; open sessions have ended"));
    }
    Ok(())
}

/// Makes the administrator, or gives the one of this e-mail the password; says whether it is new.
pub(crate) async fn give_password(
    context: &Context,
    store: &Store,
    email: &Email,
    password: &Secret,
    actor: Actor,
) -> Result<(Uuid, bool), Failure> {
    let hash = rr_http::hash_password(password.expose(), &context.random)
        .map_err(|error| Failure::Trouble(error.into()))?;
    let audit = context.audit(actor);
    if let Some(user) = store.user_by_email(email.as_str().to_owned()).await? {
        if user.role != Label::ADMIN {
            return Err(Failure::trouble(format!(
                "{email} is a user with the role {}, and only the role admin may sign in; take \
                 another e-mail",
                user.role
            )));
        }
        store.set_password(user.id, hash, audit).await?;
        return Ok((user.id, false));
    }
    let user = NewUser {
        id: new_id(audit.at, &context.random),
        email: email.as_str().to_owned(),
        role: Label::ADMIN,
        plan: None,
        status: Label::ACTIVE,
        password_hash: Some(hash),
        created_at: audit.at,
        updated_at: audit.at,
    };
    let id = user.id;
    match store.create_user(user, audit).await? {
        CreateUser::Created => Ok((id, true)),
        CreateUser::EmailTaken(_) => {
            Err(Failure::trouble(format!("{email} was made by somebody else just now; try again")))
        }
    }
}

fn ask_password() -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "standard input is not a terminal; give the password with --password-stdin".to_owned(),
        ));
    }
    let ask =
        |prompt| rpassword::prompt_password(prompt).map_err(|error| Failure::Trouble(error.into()));
    let first = ask("Password: ")?;
    if first == ask("Once more: ")? {
        Ok(Secret::new(first))
    } else {
        Err(Failure::Usage("the two passwords differ".to_owned()))
    }
}
