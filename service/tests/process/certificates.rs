//! An authority of a test's own, and a certificate for `localhost` by it.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// `ca.pem`, which `SSL_CERT_FILE` may name, `server.pem` and `server.key`.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn make() -> Self {
        const CURVE: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        let made = Self(TempDir::new().unwrap());
        made.openssl(&format!("req -x509 {CURVE} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem"));
        made.openssl(&format!("req {CURVE} -subj /CN=localhost -keyout server.key -out server.csr"));
        std::fs::write(made.file("names"), "subjectAltName=DNS:localhost").unwrap();
        made.openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
        made
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
