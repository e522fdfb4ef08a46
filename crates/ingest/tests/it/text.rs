//! Lines of text.

use ledgerline_model::batch::Flags;
use ledgerline_model::time::Timestamp;

use crate::support::*;

#[test]
fn a_line_is_the_message_and_its_time_and_severity_are_found() {
    for (line, time, severity) in [
        ("[Sun Dec 04 04:47:44 2005] [notice] jk2_init() Found child", "2005-12-04T04:47:44Z", 10),
        ("[Sun Dec 04 04:47:44 2005] [error] mod_jk child", "2005-12-04T04:47:44Z", 17),
        ("081109 203615 148 INFO dfs.DataNode: terminating", "2008-11-09T20:36:15Z", 9),
        ("2015-10-18 18:01:47,978 INFO [main] org.apache: Created", "2015-10-18T18:01:47.978Z", 9),
        ("2015-07-29 17:41:44,747 - WARN  [Worker@1] - left", "2015-07-29T17:41:44.747Z", 13),
        ("Jun 14 15:16:01 combo sshd(pam_unix)[19939]: failure", "2023-06-14T15:16:01Z", 0),
        ("Feb  9 06:55:46 LabSZ sshd[24200]: error: Received", "2024-02-09T06:55:46Z", 0),
        (
            "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.wsgi [req]",
            "2017-05-16T00:00:00.008Z",
            9,
        ),
        (
            "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2326",
            "2000-10-10T20:55:36Z",
            0,
        ),
        ("2020-09-21T22:58:14.123+02:00 ERROR é", "2020-09-21T20:58:14.123Z", 17),
        ("<34>1 2003-10-11T22:14:15.003Z host su - ID47 - failed", "2003-10-11T22:14:15.003Z", 18),
        ("<165>Oct 11 22:14:15 host app: x", "2023-10-11T22:14:15Z", 10),
    ] {
        let batch = admit_text(line).batch;
        let expected = chrono::DateTime::parse_from_rfc3339(time).expect("the test writes it well");
        assert_eq!(events(&batch), [fields([("message", str(line))])], "{line}");
        assert_eq!(Some(batch.times()[0]), expected.timestamp_nanos_opt(), "{line}");
        assert_eq!(batch.severities(), [severity], "{line}");
    }
}

#[test]
fn a_line_without_a_time_has_that_of_the_receipt() {
    for line in
        ["hello", "<9999>x", "<", "<>", "<1", "12", "Jun", "[[[", "{\"a\":1}", "é 2020-13-01"]
    {
        let batch = admit_text(line).batch;
        assert_eq!(batch.times(), [RECEIVED.0], "{line}");
        assert_eq!(batch.flags(), [Flags::TIME_MISSING.0], "{line}");
    }
}

#[test]
fn blank_lines_are_no_events_and_bad_ones_are_named() {
    let admitted = admit_text(b"\xEF\xBB\xBFa\r\n\r\n  \n b \n\xFF\nc");
    let messages: Vec<_> = events(&admitted.batch);
    let expected = ["a", " b ", "c"].map(|text| fields([("message", str(text))]));
    assert_eq!(messages, expected);
    assert_eq!(rejects(&admitted), [(5, "invalid_utf8")]);
    assert_eq!(admitted.batch.received(), Timestamp(RECEIVED.0));
}
