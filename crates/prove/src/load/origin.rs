//! Where requests go, and how they look: made once, before the first is due.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use hyper::{Method, Request as HttpRequest};

use super::{LoadError, LoadSpec, Protocol, Request};

/// A request with an empty or a whole body.
pub(super) type Body = Full<Bytes>;

/// The one server that a load goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

/// A request, ready to be sent again and again.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    method: Method,
    uri: Uri,
    /// Shared by the requests of a log, which are many and have the same.
    headers: Arc<HeaderMap>,
    body: Bytes,
}

impl Prepared {
    pub(super) fn request(&self) -> HttpRequest<Body> {
        let mut request = HttpRequest::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }

    /// Whether sending it twice does what sending it once does (RFC 9110, section 9.2.2).
    pub(super) fn is_idempotent(&self) -> bool {
        self.method.is_idempotent()
    }
}

/// Makes the requests of a load; all must go to one server, because connections do.
pub(super) fn prepare(spec: &LoadSpec) -> Result<(Origin, Vec<Prepared>), LoadError> {
    let mut origin = None;
    let mut prepared = Vec::with_capacity(spec.requests.len());
    for request in &spec.requests {
        let (this, mut ready) = prepare_one(request, spec.protocol)?;
        if let Some(last) = prepared.last().filter(|last: &&Prepared| last.headers == ready.headers) {
            ready.headers = last.headers.clone();
        }
        if origin.get_or_insert_with(|| this.clone()) != &this {
            return Err(LoadError {
                attempted: "offer load to more than one server".into(),
                cause: format!("{} is not the first request's {}", this.host, spec_host(origin.as_ref())),
                help: "measure one after the other".into(),
            });
        }
        prepared.push(ready);
    }
    match origin {
        Some(origin) => Ok((origin, prepared)),
        None => Err(LoadError {
            attempted: "offer load".into(),
            cause: "there is no request to send".into(),
            help: "name an address, or a log with GET or HEAD requests".into(),
        }),
    }
}

fn spec_host(origin: Option<&Origin>) -> &str {
    origin.map_or("", |origin| origin.host.as_str())
}

fn prepare_one(request: &Request, protocol: Protocol) -> Result<(Origin, Prepared), LoadError> {
    let (origin, authority, path) = split(&request.url)?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| {
        wrong("send the method", &request.method, "it is no HTTP token", "use GET, HEAD, POST, …")
    })?;
    let mut headers = fields(request)?;
    let uri = match protocol {
        // The origin form goes on the wire (RFC 9112, section 3.2.1) …
        Protocol::Http1 => {
            let host = HeaderValue::from_str(authority.as_str())
                .map_err(|error| address(&request.url, &error.to_string()))?;
            headers.entry(HOST).or_insert(host);
            Uri::from(path)
        }
        // … and pseudo-header fields do (RFC 9113, section 8.3.1).
        Protocol::Http2 => {
            let named = headers.remove(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
            Uri::builder()
                .scheme(if origin.tls { Scheme::HTTPS } else { Scheme::HTTP })
                .authority(named.unwrap_or(authority))
                .path_and_query(path)
                .build()
                .map_err(|error| address(&request.url, &error.to_string()))?
        }
    };
    Ok((
        origin,
        Prepared { method, uri, headers: Arc::new(headers), body: Bytes::from(request.body.clone()) },
    ))
}

fn split(url: &str) -> Result<(Origin, Authority, PathAndQuery), LoadError> {
    let parts = Uri::try_from(url).map_err(|error| address(url, &error.to_string()))?.into_parts();
    let tls = match parts.scheme.as_ref().map(Scheme::as_str) {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(address(url, "it starts with neither http:// nor https://")),
    };
    let Some(authority) = parts.authority.filter(|authority| !authority.host().is_empty()) else {
        return Err(address(url, "it names no host"));
    };
    if authority.as_str().contains('@') {
        return Err(LoadError {
            attempted: "offer load to an address with a password in it".into(),
            cause: "HTTP sends it as a header field".into(),
            help: "give it as -H 'Authorization: Basic …'".into(),
        });
    }
    let origin = Origin {
        tls,
        host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
    };
    let path = match parts.path_and_query {
        Some(path) if path.as_str().starts_with('/') => path,
        Some(path) => PathAndQuery::try_from(format!("/{}", path.as_str()))
            .map_err(|error| address(url, &error.to_string()))?,
        None => PathAndQuery::from_static("/"),
    };
    Ok((origin, authority, path))
}

fn fields(request: &Request) -> Result<HeaderMap, LoadError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let help = "write it as -H 'Name: value'";
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong("send the header field", name, "its name is no HTTP token", help))?;
        let value = HeaderValue::from_str(value).map_err(|_| {
            wrong("send the header field", name.as_str(), "its value has control characters", help)
        })?;
        headers.append(name, value);
    }
    let agent = HeaderValue::from_static(concat!("narrows/", env!("CARGO_PKG_VERSION")));
    headers.entry(USER_AGENT).or_insert(agent);
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    Ok(headers)
}

/// Resolves the host's name once (getaddrinfo(3)), so that the resolver is no part of what is measured.
pub(super) fn resolve(origin: &Origin) -> Result<Vec<SocketAddr>, LoadError> {
    let failed = |cause: String| LoadError {
        attempted: format!("resolve {}", origin.host),
        cause,
        help: "check the name, /etc/hosts and /etc/resolv.conf".into(),
    };
    let addresses: Vec<_> = (origin.host.as_str(), origin.port)
        .to_socket_addrs()
        .map_err(|error| failed(format!("name not resolved ({error})")))?
        .collect();
    if addresses.is_empty() {
        Err(failed("name not resolved (it has no address)".into()))
    } else {
        Ok(addresses)
    }
}

/// What is after `?` may be a secret, and is not repeated.
fn address(url: &str, cause: &str) -> LoadError {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let shown = shown.rsplit_once('@').map_or(shown, |(_, host)| host);
    wrong("offer load to", shown, cause, "write it as http://host:port/path")
}

fn wrong(attempted: &str, what: &str, cause: &str, help: &str) -> LoadError {
    LoadError {
        attempted: format!("{attempted} “{what}”"), cause: cause.to_owned(), help: help.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Request {
        Request { method: "GET".into(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    #[test]
    fn an_address_is_taken_apart_and_the_origin_form_is_sent() {
        let (origin, ready) = prepare_one(&request("http://[::1]:8080/a?b=c"), Protocol::Http1).unwrap();
        assert_eq!(origin, Origin { tls: false, host: "::1".into(), port: 8080 });
        let sent = ready.request();
        assert_eq!(sent.uri().to_string(), "/a?b=c");
        assert_eq!(sent.headers()[HOST], "[::1]:8080");
        let (origin, ready) = prepare_one(&request("https://shop.example?x"), Protocol::Http1).unwrap();
        assert_eq!((origin.tls, origin.port), (true, 443));
        assert_eq!(ready.request().uri().to_string(), "/?x");
    }

    #[test]
    fn a_host_field_of_the_user_wins_in_both_protocols() {
        let mut named = request("http://127.0.0.1:81/");
        named.headers.push(("Host".into(), "shop.example".into()));
        let (_, ready) = prepare_one(&named, Protocol::Http1).unwrap();
        assert_eq!(ready.request().headers()[HOST], "shop.example");
        let (_, ready) = prepare_one(&named, Protocol::Http2).unwrap();
        assert_eq!(ready.request().uri().to_string(), "http://shop.example/");
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_its_secrets() {
        for url in
            ["ftp://x/?token=secret", "/path?token=secret", "http://user:secret@host/", "http:// ?secret"]
        {
            let error = prepare_one(&request(url), Protocol::Http1).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
