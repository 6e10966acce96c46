//! What needs a provider outside: payments and the assistant. Neither is there yet: the server makes no
//! outgoing call, whatever is configured. The paths are, since pages that know them are told so by a problem
//! they can show rather than by a 404. Requests are read as strictly as ever, and what is good is answered 503.

pub(crate) mod assistant;
pub(crate) mod checkout;
pub(crate) mod intent;
pub(crate) mod stripe;
