//! Compressed bodies.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ledgerline_ingest::{Encoding, ErrorKind, Format, decompress};
use ledgerline_model::limits;
use proptest::prelude::*;

use crate::support::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("a level that is known");
    encoder.include_checksum(true).expect("zstd knows checksums");
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// Spaces, compressed: 256 MiB of them in gzip, 4 GiB in zstd, made of a frame that is repeated.
fn bomb(encoding: Encoding) -> Vec<u8> {
    if encoding == Encoding::Gzip {
        return gzip(&vec![b' '; 16 << 20]).repeat(16);
    }
    zstd(&vec![b' '; 64 << 20]).repeat(64)
}

#[test]
fn bombs_are_refused_early() {
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let body = bomb(encoding);
        let error = decompress(&body, encoding).expect_err("it is a bomb");
        assert_eq!(error.kind, ErrorKind::TooLarge);
        let mut admission = ledgerline_ingest::Admission::new(Format::Json, encoding, reception());
        let refused = body.chunks(1024).position(|piece| admission.push(piece).is_err());
        assert!(refused.is_some_and(|piece| piece < 12), "{refused:?}");
        assert!(admission.size_bytes() < 4 << 20, "{}", admission.size_bytes());
        let again = admission.push(b"").expect_err("it stays refused");
        assert_eq!((again.kind, again.code), (ErrorKind::TooLarge, "ratio_exceeded"));
        assert!(again.detail.contains("200"), "{again}");
        assert_eq!(admission.finish().expect_err("it stays refused"), again);
    }
}

#[test]
fn a_short_body_may_have_any_ratio() {
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::DECOMPRESSION_GRACE_BYTES - 100));
    for (encoding, body) in
        [(Encoding::Gzip, gzip(body.as_bytes())), (Encoding::Zstd, zstd(body.as_bytes()))]
    {
        assert!(body.len() * limits::DECOMPRESSION_RATIO_MAX < 1 << 20);
        let admitted = admit(&body, Format::Json, encoding, 100).expect("within the grace");
        assert_eq!(admitted.batch.rows(), 1);
    }
}

#[test]
fn a_body_is_as_long_as_the_limit_at_most() {
    let mut line: Vec<u8> =
        (0_u32..1 << 20).map(|at| b'a' + (at.wrapping_mul(2_654_435_761) >> 28) as u8).collect();
    line[(1 << 20) - 1] = b'\n';
    let body = line.repeat(64);
    let in_frames = body.chunks(64 << 10).flat_map(zstd).collect::<Vec<u8>>();
    for (encoding, mut body, more) in
        [(Encoding::Identity, body, b"\n".to_vec()), (Encoding::Zstd, in_frames, zstd(b"\n"))]
    {
        let admitted = admit(&body, Format::Text, encoding, 1 << 20).expect("the limit");
        assert_eq!(admitted.batch.rows(), 64);
        body.extend(more);
        let error = admit(&body, Format::Text, encoding, 1 << 20).expect_err("above it");
        assert_eq!((error.kind, error.code), (ErrorKind::TooLarge, "batch_too_large"));
        assert!(error.detail.contains("67108864"), "{error}");
    }
}

#[test]
fn events_that_take_too_much_memory_are_refused() {
    let body = "1\n".repeat(limits::BATCH_BYTES_MAX / 2);
    let error = admit(body.as_bytes(), Format::Text, Encoding::Identity, 1 << 16)
        .expect_err("they take ten times as much memory as they are long");
    assert_eq!((error.kind, error.code), (ErrorKind::TooLarge, "batch_too_large"));
    assert!(error.detail.contains("memory"), "{error}");
}

#[test]
fn a_zstd_window_above_8_mib_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("a level that is known");
    encoder.window_log(24).expect("zstd knows windows up to 2^31");
    encoder.write_all(b"{}").expect("writing to memory");
    let body = encoder.finish().expect("writing to memory");
    let error = decompress(&body, Encoding::Zstd).expect_err("the window is too large");
    assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "invalid_encoding"));
}

#[test]
fn broken_bodies_are_refused() {
    let body = "{\"a\":1}\n".repeat(1000);
    for (encoding, whole) in
        [(Encoding::Gzip, gzip(body.as_bytes())), (Encoding::Zstd, zstd(body.as_bytes()))]
    {
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0xFF;
        let behind = [&whole[..], b"x"].concat();
        let bodies = [body.as_bytes(), &whole[..whole.len() - 1], &whole[..3], &flipped, &behind];
        for body in bodies {
            let error = admit(body, Format::Json, encoding, 16).expect_err("it is broken");
            // What a flipped bit makes of a length may also be too much.
            let is_named = error.code == "invalid_encoding" || error.kind == ErrorKind::TooLarge;
            assert!(is_named, "{error:?}");
        }
    }
    for encoding in [Encoding::Identity, Encoding::Zstd] {
        assert_eq!(
            admit(b"", Format::Json, encoding, 1).map(|admitted| admitted.batch.rows()),
            Ok(0)
        );
    }
}

#[test]
fn the_digest_is_that_of_the_decompressed_body() {
    // SHA-256 of `{}` and a line feed. Source: `printf '{}\n' | sha256sum`.
    let digest = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356";
    let body = b"{}\n";
    for (encoding, body) in [
        (Encoding::Identity, body.to_vec()),
        (Encoding::Gzip, gzip(body)),
        (Encoding::Zstd, zstd(body)),
    ] {
        let admitted = admit(&body, Format::Json, encoding, 2).expect("a good body");
        let bytes = admitted.digest.expect("it was asked for");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, digest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_a_body_is_compressed_does_not_matter(
        lines in prop::collection::vec("\\{\"a\":[0-9]{1,4}\\}|x", 0..50),
        parts in 1_usize..5,
        piece_bytes in 1_usize..200,
    ) {
        let body = lines.join("\n").into_bytes();
        let expected = admit(&body, Format::Json, Encoding::Identity, usize::MAX).expect("ok");
        let part_bytes = body.len() / parts + 1;
        let encode = |one: fn(&[u8]) -> Vec<u8>| -> Vec<u8> {
            let mut parts = body.chunks(part_bytes).map(one).collect::<Vec<_>>();
            parts.push(one(b""));
            parts.concat()
        };
        for (encoding, body) in [(Encoding::Gzip, encode(gzip)), (Encoding::Zstd, encode(zstd))] {
            let admitted = admit(&body, Format::Json, encoding, piece_bytes).expect("ok");
            prop_assert_eq!(&admitted.batch, &expected.batch);
            prop_assert_eq!(&admitted.rejects, &expected.rejects);
            prop_assert_eq!(admitted.digest, expected.digest);
            let decompressed = decompress(&body, encoding).expect("ok");
            prop_assert_eq!(decompressed, lines.join("\n").into_bytes());
        }
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for (encoding, magic) in
            [(Encoding::Gzip, &[0x1F, 0x8B, 8][..]), (Encoding::Zstd, &[0x28, 0xB5, 0x2F, 0xFD])]
        {
            for body in [bytes.clone(), [magic, &bytes].concat()] {
                let admitted = admit(&body, Format::Json, encoding, 50);
                prop_assert!(admitted.is_err() || body.is_empty() || encoding == Encoding::Zstd);
            }
        }
    }
}
