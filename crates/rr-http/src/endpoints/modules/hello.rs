//! The first message: who opens the WebSocket.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::{Permission, Standing, admit};
use crate::live::Reader;
use crate::problem::Problem;
use crate::state::AppState;

/// The message, which may say more than this.
#[derive(Deserialize)]
struct Auth {
    r#type: String,
    #[serde(rename = "apiKey")]
    api_key: String,
}

/// Why nobody was let in.
#[derive(Debug)]
pub(super) enum Refused {
    /// It was no such message.
    NotAuth,
    /// It was one, and its key does not open the door.
    Problem(Problem),
}

/// Lets the sender of the message follow, if its key may.
pub(super) async fn let_in(
    state: &Arc<AppState>,
    address: Option<IpAddr>,
    text: &str,
) -> Result<Reader, Refused> {
    let auth: Auth = serde_json::from_str(text).map_err(|_| Refused::NotAuth)?;
    if auth.r#type != "auth" {
        return Err(Refused::NotAuth);
    }
    let (key, needs) = (Zeroizing::new(auth.api_key), Permission::ReadMetrics);
    let grant = admit(state, &key, Some(needs.name()), address).await?;
    let standing = Standing::of_key(state, &key, grant.record(), address, needs)?;
    Ok(Reader::join(Arc::clone(state), standing, None).await?)
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused::Problem(problem)
    }
}
