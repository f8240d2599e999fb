//! Whom to trust.

use std::error::Error;
use std::io;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::{ClientConfig, RootCertStore};

/// Makes connections by http and https over those of `tcp`, and trusts whom the system trusts. Where that is nobody, as
/// in an image without certificates, the service runs all the same, and calls by https fail.
pub(crate) fn connector<C>(tcp: C) -> HttpsConnector<C> {
    let trusting = HttpsConnectorBuilder::new().with_native_roots().unwrap_or_else(|error| {
        tracing::warn!(
            "no certificates to trust ({error}): calls by https will fail; \
             install the system's, such as the package ca-certificates"
        );
        let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        HttpsConnectorBuilder::new().with_tls_config(nobody)
    });
    trusting.https_or_http().enable_http1().wrap_connector(tcp)
}

/// Whether `error` comes of a certificate that is not trusted.
pub(crate) fn is_distrust(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(_));
    }
    // The source of an I/O error is that of what it holds, which would be passed over.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => is_distrust(held),
        None => error.source().is_some_and(is_distrust),
    }
}
