//! A layer for axum and everything else that is built on tower and `http` 1.

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use tower_layer::Layer;
use tower_service::Service;

use super::Refusal;
use super::gate::Gate;
use super::refusal::limit_fields_of;
use crate::{ConflictingCredentials, Grant, KeyStore, Verifier, shown_key};

/// Makes the layers of a service: one for each permission that its routes need.
///
/// ```
/// # use std::{sync::Arc, time::SystemTime};
/// # use rr_keys::{MemoryStore, Verifier, VerifierOptions, adapters::TowerGate};
/// # let verifier = Arc::new(Verifier::new(MemoryStore::new(), VerifierOptions::default()));
/// use std::net::SocketAddr;
/// use axum::{Router, extract::ConnectInfo, routing::get};
///
/// let gate = TowerGate::new(verifier, SystemTime::now, |request| {
///     Some(request.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())
/// });
/// let app: Router = Router::new()
///     .route("/orders", get(|| async { "none yet" }))
///     .route_layer(gate.requires("read_orders"));
/// ```
#[derive(Clone)]
pub struct TowerGate {
    gate: Gate,
    address: Arc<AddressOf>,
}

/// Lets a request pass to the inner service when its key allows it, with the [`Grant`] in its extensions.
///
/// A refused request is answered at once; the [`Refusal`] stands in the answer's extensions, so an outer
/// layer can log it or answer in other words. The values of `RateLimit` and `RateLimit-Policy` go into
/// every answer to a key that has limits.
#[derive(Clone)]
pub struct KeyLayer {
    door: Arc<Door>,
}

/// The service that [`KeyLayer`] makes.
#[derive(Clone)]
pub struct KeyService<S> {
    inner: S,
    door: Arc<Door>,
}

struct Door {
    gate: TowerGate,
    need: Need,
}

enum Need {
    AnyKey,
    Permission(Cow<'static, str>),
    OfRequest(Box<dyn Fn(&Parts) -> String + Send + Sync>),
}

/// Says where a request comes from.
type AddressOf = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

impl TowerGate {
    /// A gate that judges with `verifier` at the time that `clock` tells.
    ///
    /// `address` says where a request comes from, for keys that may be used from some places only. Take the
    /// peer's address, or what a proxy of yours has written; a forwarding header that any client can send
    /// proves nothing. With `None`, a key that is bound to addresses is refused.
    pub fn new<S: KeyStore>(
        verifier: Arc<Verifier<S>>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self { gate: Gate::new(verifier, clock), address: Arc::new(address) }
    }

    /// The same gate, naming what it guards in `WWW-Authenticate`; `api` when nothing is said.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.gate.set_realm(realm);
        self
    }

    /// A layer that lets keys with this permission pass.
    pub fn requires(&self, permission: impl Into<Cow<'static, str>>) -> KeyLayer {
        self.layer(Need::Permission(permission.into()))
    }

    /// A layer whose permission depends on the request, such as `read:orders/17` on the path.
    pub fn requires_for(
        &self,
        permission: impl Fn(&Parts) -> String + Send + Sync + 'static,
    ) -> KeyLayer {
        self.layer(Need::OfRequest(Box::new(permission)))
    }

    /// A layer that lets every valid key pass, one without permissions too.
    pub fn any_key(&self) -> KeyLayer {
        self.layer(Need::AnyKey)
    }

    fn layer(&self, need: Need) -> KeyLayer {
        KeyLayer { door: Arc::new(Door { gate: self.clone(), need }) }
    }
}

impl<S> Layer<S> for KeyLayer {
    type Service = KeyService<S>;

    fn layer(&self, inner: S) -> KeyService<S> {
        KeyService { inner, door: Arc::clone(&self.door) }
    }
}

/// Any body will do that can be made from text, as those of axum and of http-body-util can.
impl<S, B, R> Service<Request<B>> for KeyService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that said it was ready must be the one that is called; its clone has not been asked.
        let unasked = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unasked);
        let door = Arc::clone(&self.door);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let grant = match door.admit(&parts).await {
                Ok(grant) => grant,
                Err(refusal) => return Ok(answer(refusal)),
            };
            parts.extensions.insert(grant.clone());
            let mut response = inner.call(Request::from_parts(parts, body)).await?;
            write(response.headers_mut(), limit_fields_of(&grant));
            Ok(response)
        })
    }
}

impl Door {
    async fn admit(&self, parts: &Parts) -> Result<Grant, Refusal> {
        let address = (self.gate.address)(parts);
        let permission = match &self.need {
            Need::AnyKey => None,
            Need::Permission(permission) => Some(Cow::Borrowed(&**permission)),
            Need::OfRequest(permission) => Some(Cow::Owned(permission(parts))),
        };
        self.gate.gate.admit(shown(&parts.headers), permission.as_deref(), address).await
    }
}

fn shown(headers: &HeaderMap) -> Result<Option<&str>, ConflictingCredentials> {
    shown_key(
        headers.get_all("x-api-key").iter().map(HeaderValue::as_bytes),
        headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes),
    )
}

fn answer<R: From<String>>(refusal: Refusal) -> Response<R> {
    let mut response = Response::new(R::from(refusal.body()));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    write(response.headers_mut(), refusal.fields());
    response.extensions_mut().insert(refusal);
    response
}

fn write(headers: &mut HeaderMap, fields: impl IntoIterator<Item = (&'static str, String)>) {
    for (name, value) in fields {
        // Every value is built of visible letters, so none is left out.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;

    use ::tower::{ServiceBuilder, ServiceExt as _, service_fn};

    use super::super::table::{self, Answer, Call, World};
    use super::*;

    /// What stands behind the door: it says whose key let the request in.
    async fn behind(request: Request<()>) -> Result<Response<String>, Infallible> {
        let name = request.extensions().get::<Grant>().map(|grant| grant.record().name.clone());
        Ok(Response::new(name.unwrap_or_default()))
    }

    async fn call(world: &World, call: &Call) -> Answer {
        let gate = TowerGate::new(world.verifier(), world.clock(), |parts| {
            parts.extensions.get::<SocketAddr>().map(SocketAddr::ip)
        })
        .realm(table::REALM);
        let layer = match call.permission {
            None => gate.any_key(),
            Some(table::OF_PATH) => {
                gate.requires_for(|parts| table::permission_of(parts.uri.path()))
            }
            Some(permission) => gate.requires(permission),
        };
        let mut request = Request::builder().uri(call.path);
        for (name, value) in world.headers(call) {
            request = request.header(name, value);
        }
        if let Some(address) = call.peer {
            request = request.extension(SocketAddr::new(address, 40_000));
        }
        let service = ServiceBuilder::new().layer(layer).service(service_fn(behind));
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        let refused = response.extensions().get::<Refusal>().map(Refusal::code);
        let fields = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()));
        let (status, fields) = (response.status().as_u16(), fields.collect());
        let answer = Answer { status, fields, body: response.into_body() };
        assert_eq!(refused, answer.code().as_deref(), "the log sees what the caller sees");
        answer
    }

    #[tokio::test]
    async fn the_layer_answers_as_the_table_says() {
        for case in table::cases() {
            let world = World::new();
            if case.broken {
                world.break_store();
            }
            for (n, (request, expected)) in case.calls.iter().enumerate() {
                expected.check(&call(&world, request).await, &format!("{}, call {n}", case.name));
            }
        }
    }

    #[tokio::test]
    async fn the_cause_of_a_failed_store_is_for_the_log_alone() {
        let world = World::new();
        world.break_store();
        let gate = TowerGate::new(world.verifier(), world.clock(), |_| None);
        let service = gate.any_key().layer(service_fn(behind));
        let request = Request::builder().header("x-api-key", world.key("reader"));
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        let refusal = response.extensions().get::<Refusal>().unwrap();
        let cause = std::error::Error::source(refusal).unwrap();
        assert_eq!(cause.to_string(), table::BROKEN);
        assert!(!response.body().contains(table::BROKEN));
    }
}
