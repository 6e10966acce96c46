//! Who is calling, and what they may do.
//!
//! A handler names what it needs in its signature: [`Allowed<ReadMetrics>`](Allowed) or
//! [`Administrator`]. Both are extractors, so a handler without a rule is visible in review, and
//! the caller comes out of them, ready for the audit log.

mod address;
mod caller;
mod cookie;
mod credential;
mod cross_site;
mod denial;
mod extract;
mod password;
mod permission;
mod session;
mod standing;
mod throttle;

use address::client_address;
pub(crate) use caller::CallerId;
pub use caller::{Admin, Caller, KeyCaller};
pub(crate) use cookie::{clear_cookie, session_cookie};
pub(crate) use credential::{Credential, credential};
pub(crate) use cross_site::{check_same_site, is_own_origin};
pub use extract::{Administrator, Allowed};
pub(crate) use extract::{address_of, admit, known_key, perhaps_allowed, state_of, vouched_for};
pub(crate) use password::{Checked, Passwords};
pub use password::{PasswordError, check_password, hash_password};
pub use permission::{
    ManageKeys, ManageWebhooks, Needs, Permission, ReadEvents, ReadMetrics, ReadUsers, WriteData,
    WriteWebhooks,
};
pub(crate) use session::SessionToken;
pub(crate) use standing::Standing;
pub(crate) use throttle::Throttle;
