//! A private control plane.

use std::fs::{self, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::programs::{CONTROL_PLANE, Module, Programs};
use crate::process::Process;
use crate::{port, program};

const READY_WITHIN: Duration = Duration::from_secs(120);
/// Files in the API server's directory.
const CERTIFICATES: &str = "certificates";
const KUBECONFIG: &str = "kubeconfig";
const TOKENS: &str = "tokens";
const SERVICE_ACCOUNT_KEY: &str = "service-account.key";

/// etcd, kube-apiserver, kube-controller-manager and kube-scheduler of its own, on free ports of 127.0.0.1, with
/// their data in temporary directories. Dropping it stops them and removes those.
#[derive(Debug)]
pub struct Server {
    kubeconfig: PathBuf,
    /// Held for their destructors, which run in this order: each needs those after it.
    _processes: [Process; 4],
}

impl Server {
    /// Starts them and waits until the API server is ready and the others listen.
    ///
    /// # Errors
    ///
    /// When they are not built, or do not come up; the message quotes the log.
    pub fn start() -> Result<Self, String> {
        Self::start_at(Ipv4Addr::LOCALHOST)
    }

    /// The same with the API server at another address of this machine, which pods reach as well.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_at(address: Ipv4Addr) -> Result<Self, String> {
        let programs = Programs::locate(Module::Kubernetes)?;
        programs.require(&CONTROL_PLANE, "cargo xtask control-plane")?;
        let (etcd, etcd_url) = start_etcd(&programs)?;
        let (api_server, kubeconfig) = start_api_server(&programs, &etcd_url, address)?;
        let files = api_server.directory();
        let options = [
            format!("--service-account-private-key-file={}", files.join(SERVICE_ACCOUNT_KEY).display()),
            format!("--root-ca-file={}", certificate(files).display()),
        ];
        let mut controllers = start_client(&programs, "kube-controller-manager", &kubeconfig, &options)?;
        let mut scheduler = start_client(&programs, "kube-scheduler", &kubeconfig, &[])?;
        for (name, (process, port)) in [("controllers", &mut controllers), ("scheduler", &mut scheduler)] {
            let listens = || TcpStream::connect(("127.0.0.1", *port)).is_ok();
            process.wait_until(READY_WITHIN, listens).map_err(|error| format!("Kubernetes' {name} {error}"))?;
        }
        Ok(Self { kubeconfig, _processes: [scheduler.0, controllers.0, api_server, etcd] })
    }

    /// The path of the kubeconfig of the cluster's administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

fn start_etcd(programs: &Programs) -> Result<(Process, String), String> {
    let directory = directory("etcd")?;
    let url = || format!("http://127.0.0.1:{}", port::free());
    let (clients, peers) = (url(), url());
    let mut command = Command::new(programs.path("etcd"));
    command
        .arg("--data-dir")
        .arg(directory.path().join("data"))
        .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
        .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
        .args(["--initial-cluster", &format!("default={peers}")])
        // What is stored is not to outlive the process, let alone the machine.
        .args(["--unsafe-no-fsync", "--log-level", "warn"]);
    let mut process = Process::start(command, directory)?;
    let address = clients.trim_start_matches("http://").to_owned();
    process
        .wait_until(READY_WITHIN, || TcpStream::connect(&address).is_ok())
        .map_err(|error| format!("etcd {error}"))?;
    Ok((process, clients))
}

/// Starts the API server, with a certificate that it makes itself, and writes the administrator's kubeconfig.
fn start_api_server(programs: &Programs, etcd: &str, address: Ipv4Addr) -> Result<(Process, PathBuf), String> {
    let directory = directory("apiserver")?;
    let files = directory.path().to_owned();
    let (port, token) = (port::free(), secret());
    let key = files.join(SERVICE_ACCOUNT_KEY);
    make_key(&key)?;
    write(&files.join(TOKENS), &format!("{token},admin,admin,system:masters\n"))?;
    let mut command = Command::new(programs.path("kube-apiserver"));
    command
        .args([format!("--etcd-servers={etcd}"), format!("--secure-port={port}")])
        .args([format!("--bind-address={address}"), format!("--advertise-address={address}")])
        .arg(format!("--cert-dir={}", files.join(CERTIFICATES).display()))
        .arg(format!("--token-auth-file={}", files.join(TOKENS).display()))
        .args(["--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16"])
        .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
        .arg(format!("--service-account-key-file={}", key.display()))
        .arg(format!("--service-account-signing-key-file={}", key.display()))
        // Test runs are many clients of one user; none is to be held back for the others' sake.
        .args(["--enable-priority-and-fairness=false", "--profiling=false"])
        // Nobody else knows the name of a node.
        .arg("--kubelet-preferred-address-types=InternalIP");
    if address.is_loopback() {
        // Such an address is refused in the endpoints of the Service `kubernetes`.
        command.arg("--endpoint-reconciler-type=none");
    }
    let mut process = Process::start(command, directory)?;
    let at = SocketAddrV4::new(address, port);
    process.wait_until(READY_WITHIN, || is_ready(at, &token)).map_err(|error| format!("kube-apiserver {error}"))?;
    let kubeconfig = files.join(KUBECONFIG);
    write(&kubeconfig, &config(at, &token, &certificate(&files)))?;
    Ok((process, kubeconfig))
}

/// Starts a program that works through the API server; returns it and the port that it will listen on.
fn start_client(
    programs: &Programs,
    name: &str,
    kubeconfig: &Path,
    options: &[String],
) -> Result<(Process, u16), String> {
    let (directory, port) = (directory(name)?, port::free());
    let mut command = Command::new(programs.path(name));
    command
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .args(["--leader-elect=false", "--bind-address=127.0.0.1"])
        .arg(format!("--secure-port={port}"))
        .arg(format!("--cert-dir={}", directory.path().display()))
        .args(options);
    Ok((Process::start(command, directory)?, port))
}

/// The API server's certificate, followed by that of the authority that it made for it.
fn certificate(files: &Path) -> PathBuf {
    files.join(CERTIFICATES).join("apiserver.crt")
}

fn config(at: SocketAddrV4, token: &str, authority: &Path) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: test, cluster: {{server: \"https://{at}\", certificate-authority: \"{}\"}}}}]\n\
         users: [{{name: admin, user: {{token: \"{token}\"}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: admin}}}}]\n\
         current-context: test\n",
        authority.display()
    )
}

/// The key that service accounts' tokens are signed with.
fn make_key(path: &Path) -> Result<(), String> {
    let openssl = program::find("openssl")
        .ok_or("openssl was not found: apt-get install openssl, or let `cargo xtask test` do it")?;
    let mut command = Command::new(openssl);
    command.args(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]).arg(path);
    let output = command.output().map_err(|error| format!("openssl: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("openssl: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Whether `/readyz` says so. By openssl, which is here anyway: one request needs no TLS of our own.
fn is_ready(at: SocketAddrV4, token: &str) -> bool {
    TcpStream::connect(at).is_ok() && ask(at, token).is_ok_and(|said| said.starts_with("HTTP/1.1 200"))
}

fn ask(at: SocketAddrV4, token: &str) -> std::io::Result<String> {
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-no_ign_eof", "-connect", &at.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    // Kept open: the client hangs up at the end of its input, answered or not.
    let mut input = client.stdin.take();
    if let Some(input) = &mut input {
        write!(input, "GET /readyz HTTP/1.1\r\nHost: kubernetes\r\nAuthorization: Bearer {token}\r\n")?;
        write!(input, "Connection: close\r\n\r\n")?;
    }
    let output = client.wait_with_output()?;
    drop(input);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("could not write {}: {error}", path.display()))
}

fn directory(of: &str) -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix(&format!("farmlokal-{of}-"))
        // There are keys in it.
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|error| format!("no temporary directory for {of}: {error}"))
}

/// 128 random bits, from where the standard library has those for its hash maps.
fn secret() -> String {
    let word = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", word(), word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_and_leaves_nothing() {
        let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
        let directories: Vec<_> = server._processes.iter().map(|it| it.directory().to_owned()).collect();
        let config = fs::read_to_string(server.kubeconfig()).unwrap();
        let at = config.split("https://").nth(1).and_then(|it| it.split('"').next()).unwrap().parse().unwrap();
        let token = config.split("token: \"").nth(1).and_then(|it| it.split('"').next()).unwrap();
        assert!(is_ready(at, token));
        assert!(!is_ready(at, "another"), "tokens are looked at");

        drop(server);
        assert!(TcpStream::connect(at).is_err());
        assert!(directories.iter().all(|it| !it.exists()));
    }
}
