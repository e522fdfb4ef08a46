use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

fn manifest(extent: Extent) -> Manifest {
    Manifest {
        log_id: LogId([0xa1; 16]),
        dataset: Dataset::new("Prüfung \"1\"").expect("a name"),
        extent,
        filter: "{\"actor\":[1]}".to_owned(),
        count: 5,
        erased: 2,
        created_ns: 1_795_563_587_123_456_789,
        checkpoint: Hash([1; 32]),
        events: Hash([2; 32]),
        erasures: Hash([3; 32]),
    }
}

fn range() -> Manifest {
    manifest(Extent::Range { first: 7, last: 11, proof: Hash([4; 32]) })
}

#[test]
fn a_manifest_is_one_line() {
    let [one, two, three, four] = ["01", "02", "03", "04"].map(|byte| byte.repeat(32));
    let before = "{\"format\":\"ledgerline-bundle/1\",\
        \"log_id\":\"a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1\",\"dataset\":\"Prüfung \\\"1\\\"\",";
    let created = "\"created_at\":\"2026-11-24T23:39:47.123456789Z\"";
    let digests = format!(
        "\"checkpoint\":\"{one}\",\"events.ndjson\":\"{two}\",\"erasures.ndjson\":\"{three}\""
    );
    let expected = format!(
        "{before}\"kind\":\"range\",\"filter\":{{\"actor\":[1]}},\"first_seq\":7,\"last_seq\":11,\
         \"count\":5,\"erased\":2,{created},\"sha256\":{{{digests},\"range.proof\":\"{four}\"}}}}\n"
    );
    assert_eq!(range().to_text(), expected);
    let expected = format!(
        "{before}\"kind\":\"filter\",\"filter\":{{\"actor\":[1]}},\"first_seq\":null,\
         \"last_seq\":null,\"count\":5,\"erased\":2,{created},\"sha256\":{{{digests}}}}}\n"
    );
    assert_eq!(manifest(Extent::Filter { bounds: None }).to_text(), expected);
    for extent in [Extent::Filter { bounds: None }, Extent::Filter { bounds: Some((3, 9)) }] {
        let manifest = manifest(extent);
        assert_eq!(Manifest::parse(&manifest.to_text()).expect("as written"), manifest);
    }
    assert_eq!(Manifest::parse(&range().to_text()).expect("as written"), range());
}

#[test]
fn other_manifests_are_refused() {
    let good = range().to_text();
    let last = format!(",\"range.proof\":\"{}\"", "04".repeat(32));
    let changes = [
        ("\n", ""),
        ("\n", "\n\n"),
        ("bundle/1", "bundle/2"),
        ("\"format\":\"ledgerline-bundle/1\",", ""),
        ("\"format\"", "\"forma\\u0074\""),
        ("\"format\"", "\"shape\""),
        ("a1a1a1a1-", "A1a1a1a1-"),
        ("Prüfung", "Pr\\u00fcfung"),
        ("\"Prüfung \\\"1\\\"\"", "\"\""),
        ("\"range\",", "\"filter\","),
        ("\"range\",", "\"other\","),
        ("{\"actor\":[1]}", "[1]"),
        ("{\"actor\":[1]}", "{\"actor\": [1]}"),
        ("\"first_seq\":7", "\"first_seq\":07"),
        ("\"first_seq\":7", "\"first_seq\":null"),
        ("\"first_seq\":7,\"last_seq\":11", "\"first_seq\":null,\"last_seq\":null"),
        ("\"count\":5", "\"count\":-5"),
        ("\"erased\":2", "\"erased\":2.0"),
        ("47.123456789Z", "47Z"),
        (last.as_str(), ""),
        ("\"events.ndjson\"", "\"events\""),
        ("0202", "020"),
        ("\"sha256\":{", "\"sha256\":[{"),
    ];
    for (from, to) in changes {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        assert_eq!(Manifest::parse(&text).expect_err(&text).kind(), ErrorKind::Malformed);
    }
    let one = manifest(Extent::Filter { bounds: Some((1, 2)) }).to_text();
    for (from, to) in [("\"filter\",", "\"range\","), ("\"last_seq\":2", "\"last_seq\":null")] {
        let text = one.replacen(from, to, 1);
        assert_eq!(Manifest::parse(&text).expect_err(&text).kind(), ErrorKind::Malformed);
    }
}

#[test]
fn headers_are_those_of_ustar() {
    let header = tar_header("events.ndjson", 0o1234567).expect("a header");
    let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).into_owned();
    assert_eq!(text(0..14), "events.ndjson\0");
    assert_eq!(text(100..124), "0000644\x000000000\x000000000\0");
    assert_eq!(text(124..148), "00001234567\x0000000000000\0");
    assert_eq!(text(156..157), "0");
    assert_eq!(text(257..265), "ustar\x0000");
    assert_eq!(text(329..345), "0000000\x000000000\0");
    let mut sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    sum -= header[148..156].iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum += 8 * 32;
    assert_eq!(text(148..156), format!("{sum:06o}\0 "));
    tar_header("a", TAR_MEMBER_MAX).expect("the largest");
    let error = tar_header("a", TAR_MEMBER_MAX + 1).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    tar_header(&"a".repeat(100), 1).expect("the longest name");
    tar_header(&"a".repeat(101), 1).expect_err("too long");
    assert_eq!([0, 1, 511, 512, 513].map(tar_padding), [0, 511, 1, 0, 511]);
    assert_eq!((TAR_END, TAR_MEMBER_MAX), (1024, 0o77_777_777_777));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        name in "[^\\p{Cc}]{1,40}", places: [u64; 2], counts: [u64; 2], created_ns: u64, is_range: bool,
    ) {
        let bounds = (places[0], places[1]);
        let extent = if is_range {
            Extent::Range { first: bounds.0, last: bounds.1, proof: Hash([9; 32]) }
        } else {
            Extent::Filter { bounds: Some(bounds) }
        };
        let manifest = Manifest {
            dataset: Dataset::new(name).expect("a name"),
            count: counts[0],
            erased: counts[1],
            created_ns,
            ..manifest(extent)
        };
        prop_assert_eq!(Manifest::parse(&manifest.to_text()).expect("as written"), manifest);
    }

    #[test]
    fn no_text_is_too_strange(text: String) {
        drop(Manifest::parse(&text));
        drop(Manifest::parse(&format!("{{{text}}}\n")));
    }
}
