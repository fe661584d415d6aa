//! Frames: how a batch of records lies in the file.
//!
//! ```text
//! ┌────────────┬───────────┬──────────────────────────┐
//! │ length u32 │ crc32 u32 │ records, one JSON a line │      little-endian; the checksum is that of the lines
//! └────────────┴───────────┴──────────────────────────┘
//! ```
//!
//! A batch is one frame, so a crash in the middle of writing it leaves a frame that does not check, at the end. What
//! does not check and is followed by a frame that does is no torn write but a damaged file.

use crate::record::Record;

/// Bytes before the payload.
pub(super) const HEADER: usize = 8;

/// The frame of a batch.
pub(super) fn encode(records: &[Record]) -> Result<Vec<u8>, serde_json::Error> {
    let mut frame = vec![0; HEADER];
    for record in records {
        serde_json::to_writer(&mut frame, record)?;
        frame.push(b'\n');
    }
    let (header, payload) = frame.split_at_mut(HEADER);
    header[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[4..].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    Ok(frame)
}

/// The payload of the frame at the beginning of some bytes, if it checks.
pub(super) fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let length = u32::from_le_bytes(header[..4].try_into().ok()?) as usize;
    let checksum = u32::from_le_bytes(header[4..].try_into().ok()?);
    let payload = rest.get(..length)?;
    // A frame is never empty: a stretch of zeros would otherwise be a row of frames that check.
    (length > 0 && crc32fast::hash(payload) == checksum).then_some(payload)
}

/// The records of a payload.
pub(super) fn decode(payload: &[u8]) -> Result<Vec<Record>, serde_json::Error> {
    payload.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice).collect()
}
