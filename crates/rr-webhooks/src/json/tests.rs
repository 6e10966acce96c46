//! The hostile list, and the agreement with serde_json.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What is wrong with a text, as a word, and where.
fn check(text: &[u8]) -> Result<(), (String, String, usize)> {
    check_json(text, JsonLimits::default()).map_err(|fault| {
        let kind = format!("{:?}", fault.kind);
        let word = kind.split('(').next().unwrap_or_default().to_owned();
        (word, fault.pointer, fault.offset)
    })
}

fn refused(text: impl AsRef<[u8]>, kind: &str, pointer: &str, offset: usize) {
    let text = text.as_ref();
    let expected = Err((kind.to_owned(), pointer.to_owned(), offset));
    assert_eq!(check(text), expected, "{}", String::from_utf8_lossy(text));
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn ordinary_json_passes() {
    for text in [
        "null",
        " {\"a\": [1, -2.5e3, true, \"\\u00e9\\ud83d\\ude00\"], \"b\": {\"a\": {}}} ",
        "\"\"",
        "-0",
        "9007199254740993",
        "9223372036854775808",
        "18446744073709551616",
        "1e308",
        "-1e-308",
        "1250.00",
        // The same letter composed and decomposed: two keys for every reader.
        "{\"\u{e9}\": 1, \"e\u{301}\": 2}",
    ] {
        assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
    }
}

#[test]
fn a_key_that_comes_twice_is_refused_wherever_it_is() {
    refused(r#"{"a":1,"a":2}"#, "DuplicateKey", "/a", 9);
    refused(r#"{"a":1,"\u0061":2}"#, "DuplicateKey", "/a", 14);
    refused(r#"[{"x":{"a":1,"b":2,"a":3}}]"#, "DuplicateKey", "/0/x/a", 21);
    refused(r#"{"":1,"":2}"#, "DuplicateKey", "/", 7);
    refused(r#"{"a/b~c":1,"a/b~c":2}"#, "DuplicateKey", "/a~1b~0c", 17);
    assert_eq!(check(br#"{"a":{"a":1},"b":{"a":1}}"#), Ok(()));
}

/// Few names are compared and many hashed, so each number of them is tried.
#[test]
fn a_key_that_comes_twice_is_refused_however_many_there_are() {
    for count in 1..40 {
        let members: String = (0..count).map(|key| format!("\"k{key}\":1,")).collect();
        assert_eq!(check(format!("{{{members}\"l\":1}}").as_bytes()), Ok(()), "{count}");
        for key in 0..count {
            let text = format!("{{{members}\"\\u006b{key}\":1}}");
            refused(&text, "DuplicateKey", &format!("/k{key}"), text.len() - 4);
        }
    }
}

#[test]
fn nul_is_refused_in_strings_and_in_keys() {
    refused(r#"{"a":["x\u0000y"]}"#, "Nul", "/a/0", 15);
    refused(r#"{"a":{"k\u0000":1}}"#, "Nul", "/a", 14);
    assert_eq!(check(br#""\\u0000""#), Ok(()), "an escaped backslash is no escape");
}

#[test]
fn depth_is_limited_long_before_the_stack_is() {
    assert_eq!(check(nested(64).as_bytes()), Ok(()));
    assert_eq!(check(nested(65).as_bytes()).unwrap_err().0, "Depth");
    for depth in [127, 128, 100_000, 1_000_000] {
        assert_eq!(check(nested(depth).as_bytes()).unwrap_err().0, "Depth", "{depth}");
        assert_eq!(check("{\"a\":".repeat(depth).as_bytes()).unwrap_err().0, "Depth", "{depth}");
    }
    let flat = JsonLimits { depth: 0, ..JsonLimits::default() };
    assert!(check_json(b"1", flat).is_ok() && check_json(b"[]", flat).is_err());
    // A limit beyond serde_json's own does not lift that one.
    let endless = JsonLimits { depth: usize::MAX, ..JsonLimits::default() };
    assert!(check_json(nested(127).as_bytes(), endless).is_ok());
    assert!(check_json(nested(1_000_000).as_bytes(), endless).is_err());
}

#[test]
fn numbers_that_cannot_be_kept_are_refused() {
    let long = |digits: usize| "1".to_owned() + &"0".repeat(digits - 1);
    refused(b"[1e999]", "Number", "", 1);
    refused(b"{\"a\": 1e-99999999}", "Number", "", 6);
    refused(b"-1e999", "Number", "", 0);
    refused(b"0e99999999999999999999999", "Number", "", 0);
    refused(b"0.5e-1001", "Number", "", 0);
    refused(long(309) + "0", "Number", "", 0);
    refused("0.".to_owned() + &"1".repeat(999), "Number", "", 0);
    refused(long(100_000), "Number", "", 0);
    for good in [long(309), "0.".to_owned() + &"1".repeat(998), "1e-1000".to_owned()] {
        assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
    }
    assert_eq!(check(br#"["1e999", "\"1e999"]"#), Ok(()), "text is not a number");
    refused(b"[1e999, 1", "Number", "", 1);
    let short = JsonLimits { number: 4, ..JsonLimits::default() };
    assert!(check_json(b"-123", short).is_ok() && check_json(b"-1234", short).is_err());
}

#[test]
fn the_encoding_is_utf_8_without_a_mark() {
    refused(b"\xef\xbb\xbf{}", "ByteOrderMark", "", 0);
    refused(b"{\"a\":\"\xff\"}", "Encoding", "", 6);
    refused(b"\"\xc0\x80\"", "Encoding", "", 1); // overlong NUL
    refused(b"\"\xe2\x82", "Encoding", "", 1); // cut short
    refused(b"\"\xed\xa0\x80\"", "Encoding", "", 1); // a surrogate, spelled out
    refused(b"\xff\xfe{\0}\0", "Encoding", "", 0); // UTF-16
    refused(b"{\0}\0", "Syntax", "", 1);
}

#[test]
fn what_is_against_the_grammar_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "{]",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{1:1}",
        "'a'",
        "NaN",
        "-Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "--1",
        "1.2.3",
        "0x1",
        "tru",
        "nullx",
        "1 2",
        "{} {}",
        "{}x",
        "\"\\x\"",
        "\"\n\"",
        "\"\u{1}\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800x\"",
        "\"\\u00\"",
        "\"",
        "// c\n1",
        "\u{feff}1x",
        "\u{a0}1",
    ] {
        let word = check(text.as_bytes()).map_err(|fault| fault.0);
        let expected = if text.starts_with('\u{feff}') { "ByteOrderMark" } else { "Syntax" };
        assert_eq!(word, Err(expected.to_owned()), "{text:?}");
    }
    refused("{\n \"a\": [1,\n  2 3]}", "Syntax", "/a/2", 16);
}

#[test]
fn a_key_that_serde_json_reads_as_something_else_is_refused() {
    let smuggled = r#"{"$serde_json::private::RawValue": "{\"a\":1,\"a\":2}"}"#;
    assert_eq!(check(smuggled.as_bytes()).unwrap_err().0, "ReservedKey");
    let escaped = smuggled.replace("private", "\\u0070rivate");
    assert_eq!(check(escaped.as_bytes()).unwrap_err().0, "ReservedKey");
    let inside = r#"{"a": {"$serde_json::private::Number": "1"}}"#;
    assert_eq!(check(inside.as_bytes()).unwrap_err().0, "ReservedKey");
}

#[test]
fn a_long_key_does_not_come_back_in_the_pointer() {
    let key = "k".repeat(300);
    refused(format!("{{\"a\":{{\"{key}\":[}}}}"), "Syntax", "/a", 310);
}

#[test]
fn the_words_name_the_place_and_never_quote_the_body() {
    let fault = check_json(b"{\"token\": hunter2}", JsonLimits::default()).unwrap_err();
    assert_eq!(fault.to_string(), "the body is not valid JSON: expected value (byte 10)");
    let fault = check_json(b"{\"a\":1,\"a\":2}", JsonLimits::default()).unwrap_err();
    assert_eq!(fault.to_string(), "the body has a key twice in one object (byte 9)");
}

/// A walk that took quadratic time would not end within the time of a test run.
#[test]
fn many_keys_and_many_values_are_taken_apart() {
    let members: Vec<String> = (0..1_000_000).map(|key| format!("\"key{key}\":1")).collect();
    assert_eq!(check(format!("{{{}}}", members.join(",")).as_bytes()), Ok(()));
    assert_eq!(check(format!("[{}[]]", "[],".repeat(1_000_000)).as_bytes()), Ok(()));
    assert_eq!(check(format!("\"{}\"", "x".repeat(2 << 20)).as_bytes()), Ok(()));
}

/// What was taken apart, put together again by serde_json.
fn shown(tree: &Tree<'_>) -> Value {
    match tree {
        Tree::Null => Value::Null,
        Tree::Bool(value) => (*value).into(),
        Tree::Number(number) => number.clone().into(),
        Tree::Text(text) => text.as_ref().into(),
        Tree::List(items) => items.iter().map(shown).collect(),
        Tree::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.as_ref(), shown(value)));
            members.collect()
        }
    }
}

/// Text that is nearly JSON: fragments of it in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\"a\""),
        Just("\"b\""),
        Just("\"\\u0061\""),
        Just("\"\\u0000\""),
        Just("\"\\ud800\""),
        Just("\""),
        Just("\\"),
        Just("1"),
        Just("-"),
        Just("1e999"),
        Just("1e-5"),
        Just("e"),
        Just("."),
        Just("null"),
        Just("true"),
        Just(" "),
        Just("\n"),
        Just("\u{feff}"),
        Just("é"),
    ];
    prop::collection::vec(fragment, 0..24).prop_map(|fragments| fragments.concat())
}

/// Any value whose objects have distinct keys, without NUL.
fn value() -> impl Strategy<Value = Value> {
    let text = "[^\\x00$]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_passes_here_is_read_as_serde_json_reads_it(text in nearly_json()) {
        if let Ok(tree) = take_apart(&text, JsonLimits::default()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), shown(&tree), "{}", text);
        }
    }

    #[test]
    fn any_bytes_pass_only_if_serde_json_reads_them(bytes in any::<Vec<u8>>()) {
        if check(&bytes).is_ok() {
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }

    #[test]
    fn every_plain_value_passes_and_is_taken_apart_as_it_is(value in value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        for text in [value.to_string(), pretty] {
            let tree = take_apart(&text, JsonLimits::default()).unwrap();
            prop_assert_eq!(shown(&tree), serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    #[test]
    fn a_repeated_key_is_found_in_any_value(value in value(), depth in 0_usize..8) {
        let inner = format!("{{\"k\":{value},\"\\u006b\":{value}}}");
        let outer = format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        prop_assert_eq!(check(outer.as_bytes()).map_err(|fault| fault.0), Err("DuplicateKey".to_owned()));
    }

    #[test]
    fn a_fault_lies_within_the_text(text in nearly_json()) {
        if let Err((_, pointer, offset)) = check(text.as_bytes()) {
            prop_assert!(offset <= text.len());
            prop_assert!(pointer.is_empty() || pointer.starts_with('/'));
        }
    }
}
