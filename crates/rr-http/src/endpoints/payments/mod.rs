//! What needs a provider outside: payments and the assistant. Requests are read as strictly as
//! ever; what is good is answered 503 as long as no provider is configured.

pub(crate) mod assistant;
pub(crate) mod checkout;
pub(crate) mod intent;
pub(crate) mod stripe;
