//! What this machine can do, measured in the same run as everything else.

use super::error::{BenchError, failed};
use super::report::Report;
use hub_core::SigningKey;
use hub_core::hash::sha256;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
/// How long each limit is measured.
const SPAN: Duration = Duration::from_millis(400);

/// Measures the machine and tells it.
///
/// # Errors
/// A file cannot be written.
pub fn measure(place: &Path, report: &mut Report<'_>) -> Result<(), BenchError> {
    let (sequential, overwrite) = disk(place)?;
    let (sign, verify) = signatures();
    report.line(&json!({
        "machine": {
            "cores": std::thread::available_parallelism().map_or(1, usize::from),
            "write_fdatasync_64mib_bytes_per_s": sequential,
            "overwrite_4k_fdatasync_us_p50": overwrite.at(0.5),
            "overwrite_4k_fdatasync_us_p99": overwrite.at(0.99),
            "memcpy_bytes_per_s": copied(),
            "sha256_bytes_per_s": hashed(),
            "ed25519_sign_per_s": sign,
            "ed25519_verify_strict_per_s": verify,
        }
    }))
}

/// Times in order, in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Sorts what was measured.
    pub fn new(mut micros: Vec<f64>) -> Self {
        micros.sort_by(f64::total_cmp);
        Self(micros)
    }

    /// The time that this part of all does not exceed.
    pub fn at(&self, part: f64) -> f64 {
        let place = (self.0.len() as f64 * part).ceil() as usize;
        self.0.get(place.clamp(1, self.0.len().max(1)) - 1).copied().unwrap_or(0.0)
    }
}

/// Microseconds since.
pub fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

fn disk(place: &Path) -> Result<(f64, Times), BenchError> {
    let path = place.join("limits");
    let open = || OpenOptions::new().write(true).create(true).truncate(true).open(&path);
    let file = open().map_err(failed("create a file"))?;
    let chunk = vec![0x5a_u8; 64 * MIB];
    let began = Instant::now();
    for round in 0..4_u64 {
        write(&file, round * chunk.len() as u64, &chunk)?;
    }
    let sequential = 4.0 * chunk.len() as f64 / began.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for round in 0..2_000_u64 {
        let began = Instant::now();
        write(&file, round * 4_096, &chunk[..4_096])?;
        times.push(micros(began));
    }
    std::fs::remove_file(&path).map_err(failed("remove a file"))?;
    Ok((sequential, Times::new(times)))
}

fn write(file: &File, at: u64, bytes: &[u8]) -> Result<(), BenchError> {
    file.write_all_at(bytes, at).and_then(|()| file.sync_data()).map_err(failed("write a file"))
}

/// How often `step` can be done in a second, times `weight`.
fn rate(weight: f64, mut step: impl FnMut()) -> f64 {
    let began = Instant::now();
    let mut rounds = 0_u64;
    while began.elapsed() < SPAN {
        step();
        rounds += 1;
    }
    rounds as f64 * weight / began.elapsed().as_secs_f64()
}

fn copied() -> f64 {
    let from = vec![1_u8; 64 * MIB];
    let mut to = vec![0_u8; 64 * MIB];
    rate(from.len() as f64, || {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    })
}

fn hashed() -> f64 {
    let block = vec![7_u8; 96 * 1024];
    rate(block.len() as f64, || {
        black_box(sha256(&[black_box(&block)]));
    })
}

fn signatures() -> (f64, f64) {
    use ed25519_dalek::Signer;
    let key = SigningKey::from_bytes(&[9; 32]);
    let message = [3_u8; 165];
    let signature = key.sign(&message);
    let public = key.verifying_key();
    let sign = rate(1.0, || {
        black_box(key.sign(black_box(&message)));
    });
    let verify = rate(1.0, || {
        let good = public.verify_strict(black_box(&message), &signature);
        black_box(good.is_ok());
    });
    (sign, verify)
}
