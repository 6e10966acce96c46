//! The HTTP client of the tests: a credential, a call, an answer that knows what to expect of it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Whoever calls the server: nobody, a key, or a signed-in administrator.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

impl Client {
    /// A caller without a credential.
    pub fn new(base: &str) -> Client {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(std::time::Duration::from_secs(30))
            .build()
            .unwrap();
        Client { base: base.to_owned(), http, headers: HeaderMap::new() }
    }

    /// The same server, called with `x-api-key`.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Client {
        self.with_header("x-api-key", key)
    }

    /// The same server, called with the cookie of a session and as its own pages call it.
    #[must_use]
    pub fn with_session(&self, cookie: &str) -> Client {
        self.with_header("cookie", cookie).with_header("origin", &self.base)
    }

    /// The same caller, sending a header more each time.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.insert(header_name(name), HeaderValue::from_str(value).unwrap());
        client
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A call of any method.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.base);
        Call { builder: self.http.request(method, url).headers(self.headers.clone()) }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// A POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call("POST", path).json(body)
    }

    /// A PATCH of JSON.
    pub fn patch(&self, path: &str, body: &Value) -> Call {
        self.call("PATCH", path).json(body)
    }
}

/// A request that is sent when awaited.
pub struct Call {
    builder: reqwest::RequestBuilder,
}

impl Call {
    /// Adds a header; the same name twice sends it twice.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.builder = self.builder.header(name, value);
        self
    }

    /// A body of JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Call {
        self.body("application/json", body.to_string())
    }

    /// A body of any kind.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Call {
        self.builder = self.builder.header("content-type", content_type).body(body.into());
        self
    }

    /// Sends it; an error means that no answer came.
    pub async fn attempt(self) -> Result<Answer, reqwest::Error> {
        Answer::of(self.open().await?).await
    }

    /// Sends it, and leaves the body to be read.
    pub async fn open(self) -> Result<reqwest::Response, reqwest::Error> {
        self.builder.send().await
    }
}

impl Answer {
    /// Reads an answer to its end. That of a stream has none; it is taken without its body.
    pub async fn of(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
        let status = response.status();
        let headers = response.headers().clone();
        let url = response.url().path().to_owned();
        let is_endless =
            headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_endless { Vec::new() } else { response.bytes().await?.to_vec() };
        Ok(Answer { url, status, headers, body })
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.attempt().await.unwrap() })
    }
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    url: String,
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The status as a number.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header field that is text and appears at most once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(header_name(name)).iter();
        let first = values.next()?.to_str().unwrap();
        assert!(values.next().is_none(), "{name} appears more than once on {}", self.url);
        Some(first)
    }

    /// Asserts the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.code(), status, "{}: {}", self.url, self.text());
        self
    }

    /// The body as JSON, of an answer that succeeded.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.status.is_success(), "{}: {} {}", self.url, self.status, self.text());
        self.parse()
    }

    /// Asserts that this is a problem of that status and code in exactly the form of the contract,
    /// and gives its body.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.code(), status, "{}: {}", self.url, self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.url);
        let body = self.parse();
        assert_eq!(body["code"], code, "{}: {body}", self.url);
        assert_eq!(body["status"], status, "{body}");
        for member in ["type", "title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
        assert_eq!(body["error"], body["detail"], "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        let challenge = self.header("www-authenticate");
        match status {
            401 => assert!(challenge.unwrap().starts_with(r#"Bearer realm="revenue-ripple""#)),
            403 if code == "insufficient_scope" => {
                assert!(challenge.unwrap().contains(r#"error="insufficient_scope", scope=""#));
                assert!(body["required"].is_string() && body["missing"].is_array(), "{body}");
            }
            429 | 503 => {
                let seconds = self.header("retry-after").expect("Retry-After").parse::<u64>();
                assert!(seconds.is_ok(), "Retry-After is a number of seconds");
            }
            405 => assert!(self.header("allow").is_some_and(|methods| !methods.is_empty())),
            _ => {}
        }
        body
    }

    #[track_caller]
    fn parse(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} is not JSON: {}", self.url, self.text()))
    }
}

fn header_name(name: &str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).unwrap()
}
