//! A private CA and the certificate of the NATS server on which a node serves its children.
//!
//! Made once and kept in `tls/` of the data directory; the CA's key never leaves it. Children get `ca.pem`
//! with their answer, and trust it for this one server only. Whoever has certificates of an authority of
//! their own uses those instead.

use hub_core::time::{Day, Millis};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How long the CA holds, in days: as long as a machine may stand in a cellar.
const CA_DAYS: i32 = 20 * 365;
/// How long the server's certificate holds, in days; it is made anew with each configuration.
const SERVER_DAYS: i32 = 5 * 365;
/// Certificates hold from the day before: the children's clocks may be slow.
const BEFORE_DAYS: i32 = 1;

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFiles {
    /// What vouches for the server: the file for the children.
    pub ca: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Certificates that cannot be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A file.
    Io {
        /// Which.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// A name no certificate can have, or a CA that is none.
    Certificate(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Certificate(error) => write!(f, "certificate: {error}"),
        }
    }
}

impl std::error::Error for TlsError {}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// Makes a certificate for a server of these names and addresses, and the CA if there is none yet.
///
/// # Errors
/// What is wrong with a name, or with a file.
pub fn make(
    directory: &Path,
    owner: &str,
    hosts: &[String],
    now: Millis,
) -> Result<ServerFiles, TlsError> {
    certify(directory, owner, (hosts, "server"), &[ExtendedKeyUsagePurpose::ServerAuth], now)
}

/// Makes the certificate that the servers of a cluster show each other: each dials and is dialled.
///
/// # Errors
/// As for [`make`].
pub fn make_route(
    directory: &Path,
    owner: &str,
    hosts: &[String],
    now: Millis,
) -> Result<ServerFiles, TlsError> {
    let both = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    certify(directory, owner, (hosts, "route"), &both, now)
}

/// A certificate for servers of these names, in files of this name.
fn certify(
    directory: &Path,
    owner: &str,
    (hosts, name): (&[String], &str),
    purposes: &[ExtendedKeyUsagePurpose],
    now: Millis,
) -> Result<ServerFiles, TlsError> {
    let io = |error| TlsError::Io { path: directory.to_owned(), error };
    match fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    let files = ServerFiles {
        ca: directory.join("ca.pem"),
        certificate: directory.join(format!("{name}.pem")),
        key: directory.join(format!("{name}.key")),
    };
    let issuer = ca(&directory.join("ca.key"), &files.ca, owner, now)?;
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, format!("hub {owner}"));
    params.extended_key_usages = purposes.to_vec();
    params.use_authority_key_identifier_extension = true;
    hold(&mut params, now, SERVER_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    write(&files.key, key.serialize_pem().as_bytes(), 0o600)?;
    write(&files.certificate, certificate.pem().as_bytes(), 0o644)?;
    Ok(files)
}

/// The CA that is there, or a new one.
fn ca(
    key_file: &Path,
    file: &Path,
    owner: &str,
    now: Millis,
) -> Result<Issuer<'static, KeyPair>, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("hub CA {owner}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    hold(&mut params, now, CA_DAYS);
    match fs::read_to_string(key_file) {
        Ok(text) => Ok(Issuer::new(params, KeyPair::from_pem(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::generate()?;
            write(key_file, key.serialize_pem().as_bytes(), 0o600)?;
            write(file, params.self_signed(&key)?.pem().as_bytes(), 0o644)?;
            Ok(Issuer::new(params, key))
        }
        Err(error) => Err(TlsError::Io { path: key_file.to_owned(), error }),
    }
}

fn hold(params: &mut CertificateParams, now: Millis, days: i32) {
    let today = Day::of_millis(now);
    let date = |day: Day| {
        let (year, month, day) = day.to_ymd();
        date_time_ymd(year, month as u8, day as u8)
    };
    params.not_before = date(Day(today.0 - BEFORE_DAYS));
    params.not_after = date(Day(today.0 + days));
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    write_file(path, bytes, mode).map_err(|error| TlsError::Io { path: path.to_owned(), error })
}

/// Writes a file whole, with these rights from the first byte.
pub(crate) fn write_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let passing = path.with_extension("part");
    match fs::remove_file(&passing) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(&passing)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&passing, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    /// 2026-11-26 in Shanghai.
    const NOW: Millis = 1_795_700_000_000;

    #[test]
    fn the_authority_stays_and_the_server_gets_a_new_certificate() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("tls");
        let hosts = ["hub.example".to_owned(), "127.0.0.1".to_owned()];
        let files = make(&place, "演示市", &hosts, NOW).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let (ca, server) = (read(&files.ca), read(&files.certificate));
        assert_eq!(make(&place, "演示市", &hosts, NOW).unwrap(), files);
        assert_eq!(read(&files.ca), ca);
        assert_ne!(read(&files.certificate), server);
        for secret in [&files.key, &place.join("ca.key")] {
            assert_eq!(fs::metadata(secret).unwrap().mode() & 0o777, 0o600);
        }
        assert!(make(&place, "x", &["bad\u{7f}host\n名".to_owned()], NOW).is_err());
    }
}
