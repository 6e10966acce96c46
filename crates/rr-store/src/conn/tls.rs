//! TLS to PostgreSQL: what each `sslmode` checks, as libpq defines it.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore,
    SignatureScheme, WantsVerifier,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::url::{RootCertificates, SslMode};

/// Makes the connector for `mode`; `None` when the connection is to stay plain.
pub(crate) fn connector(
    mode: SslMode,
    roots: Option<&RootCertificates>,
) -> Result<Option<MakeRustlsConnect>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    // As in libpq, `require` with a root certificate at hand checks it.
    let config = match (mode, roots) {
        (SslMode::Disable, _) => return Ok(None),
        (SslMode::Prefer, _) | (SslMode::Require, None) => lenient(builder, None, &provider),
        (SslMode::Require | SslMode::VerifyCa, _) => {
            let chain =
                WebPkiServerVerifier::builder_with_provider(load(roots)?, Arc::clone(&provider));
            let chain = chain.build().map_err(|error| error.to_string())?;
            lenient(builder, Some(chain), &provider)
        }
        (SslMode::VerifyFull, _) => {
            builder.with_root_certificates(load(roots)?).with_no_client_auth()
        }
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn lenient(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: &CryptoProvider,
) -> ClientConfig {
    let algorithms = provider.signature_verification_algorithms;
    builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Lenient { chain, algorithms }))
        .with_no_client_auth()
}

fn load(roots: Option<&RootCertificates>) -> Result<Arc<RootCertStore>, String> {
    let certificates = match roots {
        Some(RootCertificates::File(path)) => from_file(path)?,
        Some(RootCertificates::System) | None => rustls_native_certs::load_native_certs().certs,
    };
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err("no root certificate found; name a PEM file with sslrootcert".to_owned());
    }
    Ok(Arc::new(store))
}

fn from_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error: &dyn std::fmt::Display| {
        format!("cannot read certificates from sslrootcert {}: {error}", path.display())
    };
    CertificateDer::pem_file_iter(path)
        .map_err(|error| unreadable(&error))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))
}

/// What libpq's weaker modes promise: `prefer` and `require` encrypt without knowing to whom;
/// `verify-ca` wants the chain to end in a known root, under whatever name.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // The name is compared last, so its error says that everything else was in order.
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
