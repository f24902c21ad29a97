//! Frames of the local socket: length (4 bytes, big-endian), kind (1 byte), payload.
//!
//! Both ends are the same program on one machine, so texts are JSON and nothing here is kept.

use std::io::{self, Read, Write};

/// The longest payload.
pub(super) const PAYLOAD_MAX: usize = 1 << 20;
/// How much of a file goes into one frame.
pub(super) const CHUNK: usize = 256 << 10;

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// To the daemon: a command (JSON).
    Call = 1,
    /// To the caller: for standard output.
    Out = 2,
    /// To the caller: for standard error.
    Err = 3,
    /// To the caller: how far it is (JSON).
    Progress = 4,
    /// To the caller: the exit code (1 byte); the last frame.
    Exit = 5,
    /// To the caller: open this file for reading; answered by `Done` with a handle.
    Open = 6,
    /// To the caller: read on (handle); answered by `Data`, empty at the end.
    Read = 7,
    /// To the caller: the handle is not needed any more.
    Close = 8,
    /// To the caller: make this file; answered by `Done` with a handle.
    Create = 9,
    /// To the caller: handle and bytes to write; answered by `Done`.
    Write = 10,
    /// To the caller: the file is complete (handle); answered by `Done`.
    Commit = 11,
    /// To the caller: the entries of this directory; answered by `Data` (JSON).
    List = 12,
    /// To the daemon: it is done; the payload is a handle or empty.
    Done = 13,
    /// To the daemon: bytes.
    Data = 14,
    /// To the daemon: it failed (JSON).
    Failed = 15,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Call,
        Self::Out,
        Self::Err,
        Self::Progress,
        Self::Exit,
        Self::Open,
        Self::Read,
        Self::Close,
        Self::Create,
        Self::Write,
        Self::Commit,
        Self::List,
        Self::Done,
        Self::Data,
        Self::Failed,
    ];
}

/// Writes one frame.
pub(super) fn write_frame(to: &mut impl Write, kind: Kind, payload: &[u8]) -> io::Result<()> {
    if payload.len() > PAYLOAD_MAX {
        return Err(malformed("a frame is too long"));
    }
    let mut head = [0; 5];
    head[..4].copy_from_slice(&(payload.len() as u32).to_be_bytes());
    head[4] = kind as u8;
    to.write_all(&head)?;
    to.write_all(payload)?;
    to.flush()
}

/// Reads one frame.
pub(super) fn read_frame(from: &mut impl Read) -> io::Result<(Kind, Vec<u8>)> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == head[4]);
    let kind = kind.ok_or_else(|| malformed("a frame of an unknown kind"))?;
    if length > PAYLOAD_MAX {
        return Err(malformed("a frame is too long"));
    }
    let mut payload = vec![0; length];
    from.read_exact(&mut payload)?;
    Ok((kind, payload))
}

/// An error of the protocol itself: the two ends are not of one version.
pub(super) fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("local socket: {what}"))
}

/// A handle in a payload: its first 4 bytes; what follows is the rest.
pub(super) fn split_handle(payload: &[u8]) -> io::Result<(u32, &[u8])> {
    let (handle, rest) =
        payload.split_first_chunk().ok_or_else(|| malformed("a handle is missing"))?;
    Ok((u32::from_be_bytes(*handle), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_and_nonsense_is_refused() {
        let mut bytes = Vec::new();
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            write_frame(&mut bytes, kind, &vec![7; place]).unwrap();
        }
        let mut from = bytes.as_slice();
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(read_frame(&mut from).unwrap(), (kind, vec![7; place]));
        }
        let refused = [&[0, 0, 0, 0, 99][..], &[0xff, 0, 0, 0, 1], &[0, 0, 0, 2, 1, 0]];
        for mut bytes in refused {
            assert!(read_frame(&mut bytes).is_err());
        }
        assert!(split_handle(&[0, 0, 1]).is_err());
    }
}
