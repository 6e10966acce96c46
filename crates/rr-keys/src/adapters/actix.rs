//! Extractors for actix-web: the permission that a handler needs stands in its signature.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};

use super::gate::Gate;
use super::refusal::limit_fields_of;
use super::{Reason, Refusal};
use crate::{ConflictingCredentials, Grant, KeyStore, Verifier, shown_key};

/// Who judges the keys of an application; hand it to `App::app_data`.
///
/// Without one the extractors refuse every request with 500: an application that forgot it is closed.
#[derive(Clone)]
pub struct ActixGate {
    gate: Gate,
    address: Arc<AddressOf>,
}

/// A permission of the embedding service, as a type that handlers name.
///
/// ```
/// use actix_web::HttpRequest;
/// use rr_keys::adapters::{Allowed, Permission};
///
/// struct ReadOrders;
///
/// impl Permission for ReadOrders {
///     const NAME: &'static str = "read_orders";
/// }
///
/// async fn orders(key: Allowed<ReadOrders>) -> String {
///     format!("orders for {}", key.grant().record().name)
/// }
/// ```
pub trait Permission: 'static {
    /// What keys carry.
    const NAME: &'static str;

    /// What a key must carry for this request. The name, unless it depends on the resource: then it is
    /// for you to say, such as `read:orders/17` on the path.
    fn required(_request: &HttpRequest) -> Cow<'static, str> {
        Cow::Borrowed(Self::NAME)
    }
}

/// A request whose key has the permission. One of these is enough for a handler: each counts as a use.
pub struct Allowed<P> {
    grant: Grant,
    permission: PhantomData<P>,
}

/// A request with any valid key, one without permissions too.
#[derive(Debug)]
pub struct AnyKey(Grant);

/// Says where a request comes from.
type AddressOf = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

impl ActixGate {
    /// A gate that judges with `verifier` at the time that `clock` tells.
    ///
    /// `address` says where a request comes from, for keys that may be used from some places only. Take the
    /// peer's address, or what a proxy of yours has written; a forwarding header that any client can send
    /// proves nothing, and `realip_remote_addr` of actix reads just that. With `None`, a key that is bound
    /// to addresses is refused.
    pub fn new<S: KeyStore>(
        verifier: Arc<Verifier<S>>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        address: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self { gate: Gate::new(verifier, clock), address: Arc::new(address) }
    }

    /// The same gate, naming what it guards in `WWW-Authenticate`; `api` when nothing is said.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.gate.set_realm(realm);
        self
    }
}

impl<P> Allowed<P> {
    /// The open door.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
}

impl<P> fmt::Debug for Allowed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowed").field(&self.grant).finish()
    }
}

impl AnyKey {
    /// The open door.
    pub fn grant(&self) -> &Grant {
        &self.0
    }
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let grant = admit(&request, Some(&P::required(&request))).await?;
            Ok(Self { grant, permission: PhantomData })
        })
    }
}

impl FromRequest for AnyKey {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { admit(&request, None).await.map(Self) })
    }
}

/// A middleware for `actix_web::middleware::from_fn`: puts `RateLimit` and `RateLimit-Policy` into the
/// answers to keys that have limits. An extractor alone cannot reach the answer of a handler.
pub async fn send_rate_limits<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let grant = response.request().extensions().get::<Grant>().cloned();
    if let Some(grant) = grant {
        write(response.headers_mut(), limit_fields_of(&grant));
    }
    Ok(response)
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code()).body(self.body());
        write(response.headers_mut(), self.fields());
        response
    }
}

async fn admit(request: &HttpRequest, permission: Option<&str>) -> Result<Grant, Refusal> {
    let Some(gate) = request.app_data::<ActixGate>() else {
        return Err(Refusal::new(Reason::NotConfigured, Arc::from("api")));
    };
    let address = (gate.address)(request);
    let grant = gate.gate.admit(shown(request.headers()), permission, address).await?;
    request.extensions_mut().insert(grant.clone());
    Ok(grant)
}

fn shown(headers: &HeaderMap) -> Result<Option<&str>, ConflictingCredentials> {
    shown_key(
        headers.get_all("x-api-key").map(HeaderValue::as_bytes),
        headers.get_all(AUTHORIZATION).map(HeaderValue::as_bytes),
    )
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
    use std::net::SocketAddr;

    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, Responder, web};

    use super::super::table::{self, Answer, Call, World};
    use super::*;

    struct Read;

    impl Permission for Read {
        const NAME: &'static str = "read";
    }

    struct OfPath;

    impl Permission for OfPath {
        const NAME: &'static str = table::OF_PATH;

        fn required(request: &HttpRequest) -> Cow<'static, str> {
            Cow::Owned(table::permission_of(request.path()))
        }
    }

    async fn any(key: AnyKey) -> impl Responder {
        key.grant().record().name.clone()
    }

    async fn allowed<P: Permission>(key: Allowed<P>) -> impl Responder {
        key.grant().record().name.clone()
    }

    async fn call(world: &World, call: &Call) -> Answer {
        let gate = ActixGate::new(world.verifier(), world.clock(), |request| {
            request.peer_addr().map(|peer| peer.ip())
        });
        let route = match call.permission {
            None => web::to(any),
            Some(table::OF_PATH) => web::to(allowed::<OfPath>),
            Some("read") => web::to(allowed::<Read>),
            Some(other) => panic!("no type for {other}"),
        };
        let app = App::new()
            .app_data(gate.realm(table::REALM))
            .wrap(from_fn(send_rate_limits))
            .default_service(route);
        let mut request = TestRequest::with_uri(call.path);
        for (name, value) in world.headers(call) {
            request = request.append_header((name, value));
        }
        if let Some(address) = call.peer {
            request = request.peer_addr(SocketAddr::new(address, 40_000));
        }
        let response = call_service(&init_service(app).await, request.to_request()).await;
        let refused = response.response().error().map(|error| {
            error.as_error::<Refusal>().expect("only refusals are errors here").code()
        });
        let fields = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()));
        let (status, fields) = (response.status().as_u16(), fields.collect());
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        let answer = Answer { status, fields, body };
        assert_eq!(refused, answer.code().as_deref(), "the log sees what the caller sees");
        answer
    }

    #[actix_web::test]
    async fn the_extractors_answer_as_the_table_says() {
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

    #[actix_web::test]
    async fn an_application_without_a_gate_is_closed() {
        let app = init_service(App::new().default_service(web::to(any))).await;
        let world = World::new();
        let request = TestRequest::default().insert_header(("x-api-key", world.key("reader")));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
